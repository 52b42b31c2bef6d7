import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryType } from "./arbitrary.ts";
import { parseType, parseTypeBlock, printType, printTypeWhole, type TypeProblem } from "./type-text.ts";
import type { ValType } from "./types.ts";

const u32: ValType = { kind: "u32" };
const string: ValType = { kind: "string" };

function read(text: string, scope?: ReadonlyMap<string, ValType>): ValType | undefined {
  const { type, problems } = parseType(text, scope);
  assert.deepEqual(problems, []);
  return type;
}

/** Each problem as `the text it marks: message (cure)`. */
function shown(text: string, problems: readonly TypeProblem[]): string[] {
  return problems.map(
    ({ start, end, message, cure }) => `${text.slice(start, end)}| ${message}${cure === undefined ? "" : ` (${cure})`}`,
  );
}

function wrong(text: string, scope?: ReadonlyMap<string, ValType>): string[] {
  const { type, problems } = parseType(text, scope);
  assert.equal(type, undefined);
  return shown(text, problems);
}

test("every form of type expression is read", () => {
  assert.deepEqual(read("list<tuple<string, option<u32>>>"), {
    kind: "list",
    element: { kind: "tuple", types: [string, { kind: "option", type: u32 }] },
  });
  assert.deepEqual(read("map<string,u32>"), { kind: "map", key: string, value: u32 });
  assert.deepEqual(read("result"), { kind: "result" });
  assert.deepEqual(read("result<u32>"), { kind: "result", ok: u32 });
  assert.deepEqual(read("result<_, string>"), { kind: "result", ok: undefined, error: string });
  assert.deepEqual(read("result<u32, string>"), { kind: "result", ok: u32, error: string });
  assert.deepEqual(read("list<u8, 4>"), { kind: "list", element: { kind: "u8" }, length: 4 });
  assert.deepEqual(read("stream<u32>"), { kind: "stream", element: u32 });
  assert.deepEqual(read(" future // later\n"), { kind: "future" });
  assert.deepEqual(read("record { name: string, age: u32, }"), {
    kind: "record",
    fields: [
      { name: "name", type: string },
      { name: "age", type: u32 },
    ],
  });
  assert.deepEqual(read("enum { a, %enum }"), { kind: "enum", labels: ["a", "enum"] });
  assert.deepEqual(read("flags { read, write }"), { kind: "flags", labels: ["read", "write"] });
  assert.deepEqual(read("variant { a, b(string) }"), { kind: "variant", cases: [{ name: "a" }, { name: "b", type: string }] });
});

test("names are looked up in the scope, also when they are escaped", () => {
  const person: ValType = { kind: "record", fields: [{ name: "name", type: string }], name: "person" };
  const scope = new Map<string, ValType>([
    ["person", person],
    ["list", u32],
  ]);
  assert.deepEqual(read("list<person>", scope), { kind: "list", element: person });
  assert.equal(read("%list", scope), u32);
});

test("an unknown type name is marked and the likely one is proposed", () => {
  const scope = new Map([["person", u32]]);
  assert.deepEqual(wrong("list<persno>", scope), ["persno| there is no type `persno` (Did you mean `person`?)"]);
  assert.deepEqual(wrong("strin"), ["strin| there is no type `strin` (Did you mean `string`?)"]);
  assert.deepEqual(wrong("int"), ["int| there is no type `int` (Did you mean `s32`?)"]);
  assert.deepEqual(wrong("tuple<boolean, Array<str>>"), [
    "boolean| there is no type `boolean` (Did you mean `bool`?)",
    "Array| there is no type `Array` (Did you mean `list<…>`?)",
    "str| there is no type `str` (Did you mean `string`?)",
  ]);
});

test("mistakes in the form of a type are marked where they are", () => {
  assert.deepEqual(wrong(""), ["| expected a type, found the end"]);
  assert.deepEqual(wrong("list"), ["| expected `<` after `list`: a list has the type of its elements, found the end"]);
  assert.deepEqual(wrong("list<u8"), ["| expected `>` to close `list<`, found the end"]);
  assert.deepEqual(wrong("list<u8>>"), [">| unexpected `>` after the type"]);
  assert.deepEqual(wrong("option<u8, u8>"), ["u8| `option` takes one type"]);
  assert.deepEqual(wrong("list<u8, 0>"), ["0| expected the fixed length of the list, a whole number from 1, found `0`"]);
  assert.deepEqual(wrong("map<f32, u8>"), [
    "f32| the keys of a map are integers, bool, char or string (Use a list of tuples for other keys.)",
  ]);
  assert.deepEqual(wrong("record { firstName: string }"), [
    "firstName| `firstName` is no WIT name: names are words of letters and digits joined with `-` (Write `first-name`.)",
  ]);
  assert.deepEqual(wrong("record { a: u8 b: u8 }"), ["b| expected `,` or `}` in the record, found `b`"]);
  assert.deepEqual(wrong("enum { a, A }"), [
    "A| `A` is there twice (Give each its own name (upper and lower case are the same).)",
  ]);
  assert.deepEqual(wrong("enum {}"), ["enum| the enum is empty (Give it at least one name.)"]);
  assert.deepEqual(wrong("u8 é"), ["é| unexpected `é` after the type"]);
  assert.deepEqual(wrong("u8 /* x"), ["/*| the comment is never closed (Close it with */.)"]);
  assert.deepEqual(wrong(`flags { ${Array.from({ length: 33 }, (_, i) => `f${i}`).join(", ")} }`), [
    "flags| flags have at most 32 names, these are 33 (Split them into two fields.)",
  ]);
});

test("a text nested too deep, too long, or of garbage ends in problems, not in a crash", () => {
  assert.match(wrong("list<".repeat(100_000))[0] ?? "", /nested deeper than 100 levels/);
  assert.match(wrong("u8 ".repeat(400_000))[0] ?? "", /at most 1000000 are read/);
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          "list",
          "<",
          ">",
          ",",
          "record",
          "{",
          "}",
          "(",
          ")",
          "a",
          ":",
          "u8",
          "_",
          "%",
          "/*",
          "1",
          "type",
          "=",
          ";",
          "\u{1f600}",
        ),
      ),
      (parts) => {
        const text = parts.join(" ");
        for (const { problems } of [parseType(text), parseTypeBlock(text)]) {
          for (const { start, end } of problems) assert.ok(0 <= start && start <= end && end <= text.length);
        }
      },
    ),
  );
});

test("a type with its structure reads back as the same type", () => {
  fc.assert(
    fc.property(arbitraryType({ depth: 4 }), (type) => {
      const whole = printTypeWhole(type, Infinity);
      assert.equal(printTypeWhole(read(whole) ?? u32, Infinity), whole);
      assert.deepEqual(JSON.parse(JSON.stringify(read(whole))), JSON.parse(JSON.stringify(type)));
    }),
  );
});

test("a named type prints as its name, or with its structure", () => {
  const person: ValType = { kind: "record", fields: [{ name: "type", type: string }], name: "person" };
  assert.equal(printType({ kind: "list", element: person }), "list<person>");
  assert.equal(printTypeWhole({ kind: "list", element: person }), "list<record { %type: string }>");
  assert.equal(printType({ kind: "own", resource: { kind: "resource", name: "file" } }), "file");
  assert.equal(printType({ kind: "borrow", resource: { kind: "resource", name: "file" } }), "borrow<file>");
});

test("a type that would print endlessly is cut", () => {
  let type: ValType = u32;
  for (let i = 0; i < 90; i++) type = { kind: "tuple", types: [type, type] };
  assert.ok(printTypeWhole(type).length < 20_000);
});

test("declarations are read in any order, with comments and escaped keywords", () => {
  const text = `
    // people
    type people = list<person>;
    record person { name: string, color: color, %type: %kind }
    enum color { red, green }
    /* kinds
       /* nested */ */
    variant %kind { a, b(size) }
    flags rights { read, write }
    type size = u64;
  `;
  const { types, problems } = parseTypeBlock(text);
  assert.deepEqual(problems, []);
  assert.deepEqual([...types.keys()], ["people", "person", "color", "kind", "rights", "size"]);
  const people = types.get("people");
  assert.ok(people?.kind === "list");
  assert.equal(people.element, types.get("person"));
  assert.equal(
    printTypeWhole(people.element),
    "record { name: string, color: enum { red, green }, %type: variant { a, b(u64) } }",
  );
});

test("all mistakes of a block are reported at once, in the order of the text", () => {
  const text = `record a { x: b, y: missing }
type c = u8
enum c { p, q }
record b { z: a }
interface i {}
type list = u8;
resource r;`;
  const { types, problems } = parseTypeBlock(text);
  assert.deepEqual(shown(text, problems), [
    "missing| there is no type `missing` (Use a WIT type (string, u32, list<…>, …) or declare it under `types:`.)",
    "enum| expected `;` after the type, found `enum`",
    "c| the type `c` is declared twice (Give each its own name.)",
    "a| the type contains itself: `a` -> `b` -> `a` (WIT types cannot be recursive; refer to the other value by an index or a key.)",
    "interface| expected a declaration (record, variant, enum, flags, type), found `interface` (Write `record name { … }` or `type name = …;`.)",
    "list| `list` is a word of WIT itself (Write `%list`, or choose another name.)",
    "resource| expected a declaration (record, variant, enum, flags, type), found `resource` (Resources belong to components.)",
  ]);
  assert.deepEqual([...types.keys()], ["a", "b", "list"]);
});

test("a type that contains itself is reported once, however long the circle", () => {
  const direct = parseTypeBlock("type a = list<a>;").problems;
  assert.deepEqual(
    direct.map((problem) => problem.message),
    ["the type `a` contains itself"],
  );
  const names = Array.from({ length: 60 }, (_, i) => `t${i}`);
  const circle = names.map((name, i) => `type ${name} = option<${names[(i + 1) % names.length]}>;`).join("\n");
  assert.deepEqual(
    parseTypeBlock(circle).problems.map((problem) => problem.message),
    ["the type contains itself: `t0` -> `t1` -> `t2` -> `t3` -> … -> `t58` -> `t59` -> `t0`"],
  );
});

test("a few lines that make a type of 2^60 parts, or an endless chain of names, are refused", () => {
  const doubling = Array.from({ length: 60 }, (_, i) => `type t${i + 1} = tuple<t${i}, t${i}>;`).join("\n");
  assert.match(parseTypeBlock(`type t0 = u8;\n${doubling}`).problems[0]?.message ?? "", /too big/);
  const chain = Array.from({ length: 5000 }, (_, i) => `type t${i} = t${i + 1};`).join("\n");
  assert.match(parseTypeBlock(`${chain}\ntype t5000 = u8;`).problems[0]?.message ?? "", /nested deeper/);
});

test("a mistake about a name as long as a page is told in a line", () => {
  const { problems } = parseTypeBlock(`type ${"record".repeat(500)} u8;`);
  assert.ok(problems.length > 0);
  for (const { message } of problems) assert.ok(message.length < 200, `${message.length} characters`);
});
