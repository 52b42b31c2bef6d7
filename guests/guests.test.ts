// Runs every function of the guests that lie in the repository on the engine, with what they promise in their WIT.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { suite, test } from "node:test";
import fc from "fast-check";
import { artifactPath, builtBefore, sourcesDigest } from "../scripts/guests/artifacts.ts";
import { RECIPES } from "../scripts/guests/recipes.ts";
import { compile } from "../src/engine/compile.ts";
import type { Imports, Instance } from "../src/engine/engine.ts";

async function open(name: string, imports: Imports = {}): Promise<Instance> {
  const component = await compile(await readFile(new URL(`${name}.wasm`, import.meta.url)));
  return component.instantiate(imports);
}

function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => assert.fail(`no error, but ${JSON.stringify(value)}`),
    (error: unknown) =>
      typeof error === "object" && error !== null && "payload" in error ? error.payload : assert.fail(String(error)),
  );
}

/** Values are compared by what JSON sees of them: the prototype of a record is nobody's business. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? `${member}n` : member)));
}

const HOSTILE = [
  "",
  " ",
  "\0",
  "\u{10ffff}",
  "é".repeat(5000),
  "👩‍👩‍👧 ".repeat(1000),
  '"'.repeat(999),
  "{{".repeat(999),
  "\r\n".repeat(999),
  "ß",
];

suite("committed guests", () => {
  for (const recipe of RECIPES.filter(({ committed }) => committed)) {
    test(`${recipe.name} is small and was built from the sources beside it`, async () => {
      const built = await builtBefore(recipe);
      assert.ok(built, `${artifactPath(recipe)} is not the file that built.json knows: npm run guests -- ${recipe.name} --force`);
      assert.equal(built.sources, await sourcesDigest(recipe), `the sources have changed: npm run guests -- ${recipe.name}`);
      assert.ok(built.bytes < 300 * 1024);
    });
  }
});

suite("c/text", () => {
  // The scripts that `unicode.h` promises.
  const letters = fc.oneof(
    fc.integer({ min: 0x20, max: 0x7e }),
    fc.integer({ min: 0xa0, max: 0x17f }).filter((code) => ![0x130, 0x149].includes(code)),
    fc.integer({ min: 0x386, max: 0x3ce }).filter((code) => ![0x390, 0x3b0, 0x3a3, 0x387, 0x38b, 0x38d, 0x3a2].includes(code)),
    fc.integer({ min: 0x400, max: 0x481 }),
  );
  const text = fc.array(letters).map((codes) => String.fromCodePoint(...codes));

  test("upper makes the capitals that JavaScript makes", async () => {
    const guest = (await open("c/text")).function("upper");
    assert.equal(guest("straße"), "STRASSE");
    fc.assert(fc.property(text, (s) => assert.equal(guest(s), s.toUpperCase())));
  });

  test("lower makes the small letters that JavaScript makes", async () => {
    const guest = (await open("c/text")).function("lower");
    assert.equal(guest("ΟΔΥΣΣΕΥΣ ΠΡΟΣ"), "οδυσσευς προς");
    fc.assert(fc.property(text, (s) => assert.equal(guest(s), s.toLowerCase())));
  });

  test("white space is what JavaScript trims", async () => {
    const guest = await open("c/text");
    const spaced = fc
      .array(fc.constantFrom(" ", "\t", "\n", "\u00a0", "\u2003", "\u3000", "\ufeff", "a", "é", "😀"))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(spaced, (s) => {
        assert.equal(guest.function("trim")(s), s.trim());
        assert.deepEqual(
          guest.function("words")(s),
          s.split(/\s+/u).filter((word) => word !== ""),
        );
        assert.equal(guest.function("word-count")(s), s.split(/\s+/u).filter((word) => word !== "").length);
        assert.equal(guest.function("squeeze")(s), s.trim().replaceAll(/\s+/gu, " "));
      }),
    );
  });

  test("slugify makes names for addresses", async () => {
    const guest = await open("c/text");
    const slugs = {
      "Crème brûlée!": "creme-brulee",
      "  Ærø & Łódź ": "aero-lodz",
      "Don’t": "dont",
      "日本 語": "日本-語",
      "--": "",
      a_b: "a-b",
    };
    for (const [from, to] of Object.entries(slugs)) assert.equal(await guest.call("slugify", [from]), to);
  });

  test("reverse, length and truncate count code points", async () => {
    const guest = await open("c/text");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(20), (s, most) => {
        const points = Array.from(s.toWellFormed());
        assert.equal(guest.function("reverse")(s), points.toReversed().join(""));
        assert.equal(guest.function("length")(s), points.length);
        const cut = most === 0 ? "" : `${points.slice(0, most - 1).join("")}…`;
        assert.equal(guest.function("truncate")(s, most), points.length <= most ? points.join("") : cut);
      }),
    );
  });

  test("lines end in either way", async () => {
    const guest = await open("c/text");
    assert.deepEqual(await guest.call("lines", ["a\r\nb\n\nc"]), ["a", "b", "", "c"]);
    assert.deepEqual(await guest.call("lines", ["a\n"]), ["a"]);
    assert.deepEqual(await guest.call("lines", [""]), []);
  });

  test("join, concat, replace and capitalize", async () => {
    const guest = await open("c/text");
    assert.equal(await guest.call("join", [["a", "", "ü"], ", "]), "a, , ü");
    assert.equal(await guest.call("join", [[], ", "]), "");
    assert.equal(await guest.call("concat", ["Hello, ", "Ada"]), "Hello, Ada");
    assert.equal(await guest.call("replace", ["aaaa", "aa", "b"]), "bb");
    assert.equal(await guest.call("replace", ["abc", "", "x"]), "abc");
    assert.equal(await guest.call("capitalize", ["ada king-noel élan"]), "Ada King-Noel Élan");
  });

  test("a long text goes through, and again after it", async () => {
    const guest = await open("c/text");
    const long = "Straße ".repeat(200_000);
    for (let round = 0; round < 3; round++) assert.equal(await guest.call("upper", [long]), long.toUpperCase());
  });
});

suite("c/sentiment", () => {
  const assess = "acme:sentiment/scoring@1.0.0#assess";

  async function mood(text: string): Promise<unknown> {
    const assessment = (await (await open("c/sentiment")).call(assess, [text])) as { mood: string; score: number };
    assert.ok(Math.abs(assessment.score) <= 1);
    return assessment.mood;
  }

  test("praise is positive, complaints are negative, the rest is neutral", async () => {
    assert.equal(await mood("I love it, works perfectly."), "positive");
    assert.equal(await mood("Arrived broken and support was rude."), "negative");
    assert.equal(await mood("It has four legs."), "neutral");
    assert.equal(await mood("愛しています"), "neutral");
  });

  test("a negation turns a word round, in its own clause", async () => {
    assert.equal(await mood("This is not good at all"), "negative");
    assert.equal(await mood("It isn’t reliable"), "negative");
    assert.equal(await mood("No problems so far"), "positive");
    assert.equal(await mood("Never again, excellent service elsewhere"), "positive");
  });

  test("intensifiers and softeners move the score", async () => {
    const guest = await open("c/sentiment");
    const score = (text: string) => (guest.function(assess)(text) as { score: number }).score;
    assert.ok(score("very good") > score("good") && score("good") > score("slightly good"));
  });

  test("the words that counted are told", async () => {
    const assessment = await (await open("c/sentiment")).call(assess, ["GREAT coffee, terrible lid; terrible!"]);
    const { positive, negative, hits } = assessment as { positive: number; negative: number; hits: string[] };
    assert.deepEqual([positive, negative, hits], [1, 2, ["GREAT", "terrible", "terrible"]]);
  });

  test("entries keep what they had", async () => {
    const entry = { line: 2, id: "f-1", date: "2026-03-14", product: "Kettle", channel: "web", rating: 5, comment: "Great" };
    const unrated = { ...entry, line: 3, rating: undefined, comment: "Rubbish" };
    const scored = await (await open("c/sentiment")).call("acme:sentiment/scoring@1.0.0#score", [[entry, unrated]]);
    const [first, second] = scored as Record<string, unknown>[];
    assert.deepEqual({ ...first, score: 0 }, { ...entry, score: 0, mood: "positive" });
    assert.deepEqual([second?.["rating"], second?.["mood"]], [undefined, "negative"]);
  });

  test("any text has a score", async () => {
    const guest = await open("c/sentiment");
    for (const text of HOSTILE) assert.ok(Number.isFinite((guest.function(assess)(text) as { score: number }).score));
    const any = fc.string({ unit: "binary" });
    fc.assert(fc.property(any, (text) => Number.isFinite((guest.function(assess)(text) as { score: number }).score)));
  });
});

suite("c/faults", () => {
  const at = (name: string) => `acme:faults/faults@1.0.0#${name}`;

  test("errors come as values", async () => {
    const guest = await open("c/faults");
    assert.equal(await guest.call(at("parse-number"), ["-9223372036854775808"]), -(2n ** 63n));
    assert.equal(await guest.call(at("parse-number"), ["9223372036854775807"]), 2n ** 63n - 1n);
    assert.deepEqual(plain(await errorOf(guest.call(at("parse-number"), [""]))), { tag: "empty" });
    assert.deepEqual(plain(await errorOf(guest.call(at("parse-number"), ["4x"]))), { tag: "not-a-number", val: "4x" });
    for (const text of ["9223372036854775808", "-9223372036854775809"]) {
      assert.equal(((await errorOf(guest.call(at("parse-number"), [text]))) as { tag: string }).tag, "out-of-range");
    }
    const range = { tag: "out-of-range", val: { given: "101n", least: "0n", most: "100n" } };
    assert.deepEqual(plain(await errorOf(guest.call(at("percentage"), [101n]))), range);
    assert.equal(await guest.call(at("percentage"), [100n]), 100);
    assert.equal(await guest.call(at("checked-divide"), [7, -2]), -3);
    assert.deepEqual(plain(await errorOf(guest.call(at("checked-divide"), [1, 0]))), { tag: "division-by-zero" });
    assert.equal(await errorOf(guest.call(at("refuse"))), undefined);
  });

  for (const [name, args] of [
    ["divide", [1, 0]],
    ["divide", [-(2 ** 31), -1]],
    ["trap-if", ["", true]],
    ["read-outside", []],
    ["recurse", [2 ** 31]],
  ] as const) {
    test(`${name}(${args.join(", ")}) traps`, async () => {
      const guest = await open("c/faults");
      await assert.rejects(guest.call(at(name), args), { code: "engine/trap" });
    });
  }

  test("what does not trap answers", async () => {
    const guest = await open("c/faults");
    assert.equal(await guest.call(at("divide"), [-7, 2]), -3);
    assert.equal(await guest.call(at("trap-if"), ["ok", false]), "ok");
    assert.equal(await guest.call(at("recurse"), [100]), 100);
    assert.equal(await guest.call(at("slow"), [1n]), await guest.call(at("slow"), [1n]));
    assert.ok(((await guest.call(at("allocate"), [3])) as number) > 3);
    assert.equal(typeof (await errorOf(guest.call(at("allocate"), [65536]))), "number");
  });
});

suite("c/room", () => {
  const at = (name: string): string => `acme:room/talking@1.0.0#${name}`;

  test("what it says it understands, and hands the stream of the host on", async () => {
    const sent: Uint8Array[] = [];
    const live = {
      send: (topic: string, data: Uint8Array) => void sent.push(Uint8Array.from(data), new TextEncoder().encode(topic)),
      listen: () => [Uint8Array.of(1), Uint8Array.of(2, 3)],
    };
    const guest = await open("c/room", { "starlane:messaging/live@0.1.0": live });
    await guest.call(at("say"), ["Zoë", "hi \u{1f600}"]);
    const [data, topic] = sent;
    assert.equal(new TextDecoder().decode(topic), "room");
    assert.deepEqual(plain(await guest.call(at("understand"), [data])), { name: "Zoë", text: "hi \u{1f600}" });
    const heard: unknown[] = [];
    for await (const chunk of (await guest.call(at("enter"))) as AsyncIterable<unknown[]>) heard.push(...chunk);
    assert.deepEqual(heard, [Uint8Array.of(1), Uint8Array.of(2, 3)]);
  });

  test("what is too long, no message or no text is refused", async () => {
    const guest = await open("c/room", { "starlane:messaging/live@0.1.0": { send: () => assert.fail(), listen: () => [] } });
    const refusedBy = async (...args: readonly unknown[]) =>
      Object.keys(plain(await errorOf(guest.call(at("say"), args))) as object);
    for (const args of [
      ["", "x"],
      ["a", ""],
      ["n".repeat(41), "x"],
      ["a", "x".repeat(2001)],
    ])
      await refusedBy(...args);
    const bytes = [
      [],
      [0],
      [65],
      [65, 0],
      [65, 0, 0xff],
      [65, 0, 0xed, 0xa0, 0x80],
      [65, 0, 0xc0, 0x80],
      [65, 0, 0xf4, 0x90, 0x80, 0x80],
    ];
    for (const one of bytes) await errorOf(guest.call(at("understand"), [Uint8Array.from(one)]));
    assert.deepEqual(plain(await guest.call(at("understand"), [Uint8Array.of(65, 0, 0xc3, 0xa9)])), { name: "A", text: "é" });
  });
});

suite("c/flaky", () => {
  const drawing = (number: bigint) => open("c/flaky", { "wasi:random/insecure@0.2.6": { getInsecureRandomU64: () => number } });

  test("luck comes from the host", async () => {
    const deliver = "acme:flaky/flaky@1.0.0#deliver";
    assert.equal(await (await drawing(150n)).call(deliver, ["parcel", 50]), "parcel");
    assert.deepEqual(plain(await errorOf((await drawing(149n)).call(deliver, ["parcel", 50]))), { drawn: 49, needed: 50 });
  });

  test("lookup fails for the same keys always", async () => {
    const guest = (await drawing(0n)).function("acme:flaky/flaky@1.0.0#lookup");
    const succeeds = (key: string) => {
      try {
        return guest(key, 30) === key;
      } catch {
        return false;
      }
    };
    const keys = Array.from({ length: 1000 }, (_, n) => `key ${n}`);
    const first = keys.map(succeeds);
    assert.deepEqual(keys.map(succeeds), first);
    const failures = first.filter((succeeded) => !succeeded).length;
    assert.ok(failures > 240 && failures < 360, `${failures} of 1000`);
  });
});

suite("rust/csv", () => {
  const parse = "acme:csv/reader@1.0.0#parse";

  test("cells may have quotes, separators and line ends in them", async () => {
    const guest = await open("rust/csv");
    const table = await guest.call(parse, ['\ufeffid, name\r\n1,"a ""b"", c"\n\n2, "two\nlines" \n3,plain\n']);
    assert.deepEqual(plain(table), {
      header: ["id", "name"],
      rows: [
        { line: 2, cells: ["1", 'a "b", c'] },
        { line: 4, cells: ["2", "two\nlines"] },
        { line: 6, cells: ["3", "plain"] },
      ],
      rejected: [],
    });
  });

  test("a bad line is told and spoils no other", async () => {
    const guest = await open("rust/csv");
    const table = await guest.call(parse, ['a;b\n1;2\n1;2;3\n"x"y;2\n5;6\n"open;7\n8;9']);
    assert.deepEqual(plain(table), {
      header: ["a", "b"],
      rows: [
        { line: 2, cells: ["1", "2"] },
        { line: 5, cells: ["5", "6"] },
        { line: 7, cells: ["8", "9"] },
      ],
      rejected: [
        { line: 3, text: "1;2;3", reason: "3 cells instead of 2" },
        { line: 4, text: '"x"y;2', reason: "text after a closing quote" },
        { line: 6, text: '"open;7', reason: "a quote is not closed" },
      ],
    });
  });

  test("a quote that another one closes lines later is told as not closed", async () => {
    const guest = await open("rust/csv");
    const table = await guest.call(parse, ['a,b\n1,"open\n2,"said"\n3,fine\n4\n']);
    assert.deepEqual(plain(table), {
      header: ["a", "b"],
      rows: [
        { line: 3, cells: ["2", "said"] },
        { line: 4, cells: ["3", "fine"] },
      ],
      rejected: [
        { line: 2, text: '1,"open', reason: "a quote is not closed, or not doubled" },
        { line: 5, text: "4", reason: "1 cell instead of 2" },
      ],
    });
  });

  test("problems of the whole text are errors", async () => {
    const guest = await open("rust/csv");
    assert.deepEqual(plain(await errorOf(guest.call(parse, ["\n \n"]))), { tag: "empty" });
    assert.deepEqual(plain(await errorOf(guest.call(parse, ["a,a\n"]))), { tag: "duplicate-column", val: "a" });
    const dialect = { separator: "'", quote: "'", trim: false };
    assert.deepEqual(plain(await errorOf(guest.call("acme:csv/reader@1.0.0#parse-as", ["a", dialect]))), { tag: "bad-dialect" });
  });

  test("a dialect may use any character", async () => {
    const guest = await open("rust/csv");
    const dialect = { separator: "→", quote: "😀", trim: false };
    const table = await guest.call("acme:csv/reader@1.0.0#parse-as", ["a→b\n 1→😀2→😀😀😀", dialect]);
    assert.deepEqual(plain(table), { header: ["a", "b"], rows: [{ line: 2, cells: [" 1", "2→😀"] }], rejected: [] });
    const tabs = { separator: "\t", quote: '"', trim: true };
    const tabbed = await guest.call("acme:csv/reader@1.0.0#parse-as", ['a\tb\n\t"x"\n', tabs]);
    assert.deepEqual(plain(tabbed), { header: ["a", "b"], rows: [{ line: 2, cells: ["", "x"] }], rejected: [] });
  });

  test("what was written is read back", async () => {
    const guest = await open("rust/csv");
    const cell = fc.string({ unit: "grapheme" }).filter((s) => s === s.trim() && !/[\r\0]/u.test(s));
    const rows = fc.array(fc.tuple(fc.constant("x"), cell, cell), { maxLength: 20 });
    fc.assert(
      fc.property(rows, (cells) => {
        const given = cells.map((row, n) => ({ line: n, cells: [...row] }));
        const text = guest.function("acme:csv/writer@1.0.0#format")(["a", "b", "c"], given);
        const table = guest.function(parse)(text) as { rows: { cells: string[] }[] };
        assert.deepEqual(
          table.rows.map((row) => [...row.cells]),
          cells.map((row) => [...row]),
        );
      }),
    );
  });

  test("any text is either a table or an error, in time that grows with its length", async () => {
    const guest = await open("rust/csv");
    for (const text of [...HOSTILE, `a,b\n${'"x\n'.repeat(50_000)}`, `a\n${'"""a\n'.repeat(50_000)}`, ",".repeat(100_000)]) {
      await guest.call(parse, [text]).catch((error: { payload?: unknown }) => assert.ok(error.payload, String(error)));
    }
  });
});

suite("rust/stats", () => {
  const numbers = (name: string) => `acme:stats/numbers@1.0.0#${name}`;

  test("numbers have a mean, a median and a deviation, unless there are none", async () => {
    const guest = await open("rust/stats");
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    assert.equal(await guest.call(numbers("mean"), [values]), 5);
    assert.equal(await guest.call(numbers("median"), [[9, 1, 5]]), 5);
    assert.equal(await guest.call(numbers("median"), [[4, 1, 2, 3]]), 2.5);
    assert.ok(Math.abs(((await guest.call(numbers("stddev"), [values])) as number) - 2.138_089_935) < 1e-9);
    assert.equal(await guest.call(numbers("stddev"), [[3]]), 0);
    for (const name of ["mean", "median", "stddev", "summarize"])
      assert.equal(await guest.call(numbers(name), [[Number.NaN]]), undefined);
    const summary = { count: 2, sum: 4, mean: 2, median: 2, stddev: Math.SQRT2, least: 1, most: 3 };
    assert.deepEqual(plain(await guest.call(numbers("summarize"), [[3, 1]])), summary);
  });

  test("a histogram counts every finite value once", async () => {
    const guest = await open("rust/stats");
    const values = fc.array(fc.double(), { maxLength: 50 });
    fc.assert(
      fc.property(values, fc.nat(20), (given, bins) => {
        const histogram = guest.function(numbers("histogram"))(given, bins) as { count: number }[];
        const finite = given.filter(Number.isFinite).length;
        assert.equal(histogram.length, finite === 0 ? 0 : bins);
        if (bins > 0)
          assert.equal(
            histogram.reduce((sum, bin) => sum + bin.count, 0),
            finite,
          );
      }),
    );
  });

  const entry = (line: number, product: string, date: string, rating: number | undefined, score: number, mood: string) => ({
    line, id: `f-${line}`, date, product, channel: "web", rating, comment: `comment ${line}`, score, mood,
  }); // prettier-ignore
  const entries = [
    entry(2, "Kettle", "2026-01-05", 5, 0.9, "positive"),
    entry(3, "Teapot", "2026-02-01", undefined, 0, "neutral"),
    entry(4, "Kettle", "2026-02-11", 2, -0.7, "negative"),
    entry(5, "Kettle", "2026-02-12", 2, -0.9, "negative"),
  ];

  test("groups stand in the order of their names", async () => {
    const guest = await open("rust/stats");
    const group = (key: string) =>
      guest.call("acme:stats/grouping@1.0.0#group-by", [entries, key]) as Promise<Record<string, unknown>[]>;
    const [kettle, teapot] = await group("product");
    assert.deepEqual(
      [kettle?.["name"], kettle?.["count"], kettle?.["meanRating"], kettle?.["medianRating"], kettle?.["negative"]],
      ["Kettle", 3, 3, 2, 2],
    );
    assert.deepEqual(
      [teapot?.["name"], teapot?.["count"], teapot?.["meanRating"], teapot?.["meanScore"]],
      ["Teapot", 1, undefined, 0],
    );
    const names = async (key: string) => (await group(key)).map(({ name, count }) => [name, count]);
    assert.deepEqual(await names("month"), [["2026-01", 1], ["2026-02", 3]]); // prettier-ignore
    assert.deepEqual(await names("mood"), [["negative", 2], ["neutral", 1], ["positive", 1]]); // prettier-ignore
    assert.deepEqual(await names("channel"), [["web", 4]]);
  });

  test("the strongest comments, never of the wrong mood", async () => {
    const guest = await open("rust/stats");
    const extremes = await guest.call("acme:stats/grouping@1.0.0#strongest", [entries, 5]);
    const { best, worst } = extremes as { best: { line: number }[]; worst: { line: number }[] };
    assert.deepEqual([best.map(({ line }) => line), worst.map(({ line }) => line)], [[2], [5, 4]]);
  });

  test("rejected lines of two steps are one list", async () => {
    const guest = await open("rust/stats");
    const rejected = (line: number, reason: string) => ({ line, text: `line ${line}`, reason });
    const tally = await guest.call("acme:stats/rejects@1.0.0#tally", [[rejected(9, "b")], [rejected(3, "a"), rejected(4, "b")]]);
    assert.deepEqual(plain(tally), {
      total: 3,
      reasons: [{ reason: "b", count: 2 }, { reason: "a", count: 1 }], // prettier-ignore
      lines: [rejected(3, "a"), rejected(4, "b"), rejected(9, "b")],
    });
  });

  test("no entries are no trouble", async () => {
    const guest = await open("rust/stats");
    assert.deepEqual(await guest.call("acme:stats/grouping@1.0.0#group-by", [[], "month"]), []);
    assert.equal(((await guest.call("acme:stats/grouping@1.0.0#overall", [[]])) as { count: number }).count, 0);
  });
});

suite("rust/markdown", () => {
  test("signs of Markdown are escaped", async () => {
    const guest = await open("rust/markdown");
    const escaped = {
      "a*b_c": "a\\*b\\_c",
      "# x": "\\# x",
      "1. x": "1\\. x",
      "a | b": "a \\| b",
      "<b>&amp; & x": "\\<b\\>\\&amp; & x",
      "a\r\nb": "a b",
    };
    for (const [from, to] of Object.entries(escaped))
      assert.equal(await guest.call("acme:markdown/writer@1.0.0#escape", [from]), to);
  });

  test("tables have columns as wide as their cells", async () => {
    const guest = await open("rust/markdown");
    const columns = [
      { title: "Name", align: "left" },
      { title: "N", align: "right" },
      { title: "Mid", align: "center" },
    ];
    const table = await guest.call("acme:markdown/writer@1.0.0#table", [columns, [["Ada", "1"], ["Γιώργος", "100", "x", "extra"]]]); // prettier-ignore
    assert.equal(table, "| Name    |   N | Mid |\n| ------- | --: | :-: |\n| Ada     |   1 |     |\n| Γιώργος | 100 |  x  |\n");
    assert.equal(await guest.call("acme:markdown/writer@1.0.0#heading", [9, "x"]), "###### x\n");
    assert.equal(await guest.call("acme:markdown/writer@1.0.0#bullets", [["a", "*"]]), "- a\n- \\*\n");
  });
});

suite("rust/decorate", () => {
  const at = (name: string) => `acme:decorate/decorate@1.0.0#${name}`;

  test("exclaims once", async () => {
    const guest = await open("rust/decorate");
    for (const text of ["Hello, Ada", "Hello, Ada.", "Hello, Ada! "])
      assert.equal(await guest.call(at("exclaim"), [text]), "Hello, Ada!");
    assert.equal(await guest.call(at("exclaim"), [""]), "");
  });

  test("frames, wraps and repeats", async () => {
    const guest = await open("rust/decorate");
    const style = { border: "rounded", padding: 1 };
    assert.equal(await guest.call(at("frame"), ["Hello\nÉ", style]), "╭───────╮\n│ Hello │\n│ É     │\n╰───────╯");
    assert.equal(await guest.call(at("box"), ["a"]), "+---+\n| a |\n+---+");
    assert.equal(await guest.call(at("wrap"), ["b", "a", "c"]), "abc");
    assert.equal(await guest.call(at("repeat"), ["ab", 3]), "ababab");
    const wide = (await guest.call(at("frame"), [`${"x".repeat(5000)}\n`.repeat(50), style])) as string;
    assert.ok(wide.split("\n").every((line) => Array.from(line).length === 204));
  });
});

suite("assemblyscript/greeter", () => {
  const greet = "acme:greeting/greeter@1.0.0#greet";

  test("greets in the language that is asked for, again and again", async () => {
    const guest = await open("assemblyscript/greeter");
    for (let round = 0; round < 100; round++) assert.equal(await guest.call(greet, [" Ada ", "en"]), "Hello, Ada");
    assert.equal(await guest.call(greet, ["Jürgen 😀", "DE-at"]), "Hallo, Jürgen 😀");
    assert.equal(await guest.call(greet, ["Ada", "ja"]), "こんにちは、Ada");
    const languages = (await guest.call("acme:greeting/greeter@1.0.0#languages")) as string[];
    assert.deepEqual([languages.length, languages[0]], [10, "en"]);
  });

  test("refuses with a reason", async () => {
    const guest = await open("assemblyscript/greeter");
    assert.deepEqual(plain(await errorOf(guest.call(greet, [" ", "en"]))), { tag: "no-name" });
    assert.deepEqual(plain(await errorOf(guest.call(greet, ["Ada", "tlh"]))), { tag: "unknown-language", val: "tlh" });
  });
});

suite("assemblyscript/template", () => {
  const at = (name: string) => `acme:template/templates@1.0.0#${name}`;

  test("fields are filled, by value or default", async () => {
    const guest = await open("assemblyscript/template");
    const values = [["name", "Ada {{x}}"], ["name", "later"]]; // prettier-ignore
    assert.equal(
      await guest.call(at("render"), ["Dear {{ name }}, {{greeting|good day}} \\{{x}}", values]),
      "Dear Ada {{x}}, good day {{x}}",
    );
  });

  test("what cannot be filled is told", async () => {
    const guest = await open("assemblyscript/template");
    assert.deepEqual(plain(await errorOf(guest.call(at("render"), ["a\n{{b", []]))), { tag: "unclosed", val: 2 });
    assert.deepEqual(plain(await errorOf(guest.call(at("render"), ["{{b}}", []]))), { tag: "no-value", val: "b" });
  });

  test("templates can be filled step by step", async () => {
    const guest = await open("assemblyscript/template");
    const half = await guest.call(at("fill"), ["{{a}} \\{{c}} {{b}}", "a", "{{b}}"]);
    assert.equal(half, "\\{{b}} \\{{c}} {{b}}");
    assert.equal(await guest.call(at("render"), [half, [["b", "2"]]]), "{{b}} {{c}} 2");
    assert.deepEqual(await guest.call(at("fields"), ["{{a}}{{b|x}}{{a}}\\{{c}}"]), ["a", "b"]);
    assert.deepEqual(await guest.call(at("fields"), ["none"]), []);
  });

  test("any text is a template or an error", async () => {
    const guest = await open("assemblyscript/template");
    for (const text of HOSTILE) {
      await guest.call(at("render"), [text, []]).catch((error: { payload?: unknown }) => assert.ok(error.payload, String(error)));
    }
  });
});

suite("assemblyscript/cleaner", () => {
  const clean = "acme:feedback/cleaning@1.0.0#clean";
  const header = ["ID", "date", "Product", "channel", "Rating", "comment"];
  const row = (line: number, ...cells: string[]) => ({ line, cells });

  test("rows become entries in one form", async () => {
    const guest = await open("assemblyscript/cleaner");
    const result = (await guest.call(clean, [
      header,
      [
        row(2, "f-1", "14.03.2026", "ESPRESSO  machine", "Web", "★★★★☆", "Great &amp; quick<br/>coffee\u0007 \n ok"),
        row(3, "f-2", "March 3, 2026", "kettle", "email", "n/a", "a < b and <3 you"),
        row(4, "f-3", "2024-02-29T10:00:00Z", "Kettle", "app", "4/5", "😀"),
        row(5, "f-4", "1 Feb 2026", "Kettle", "app", "3 stars", "ok"),
      ],
    ])) as { entries: Record<string, unknown>[]; rejected: unknown[] };
    assert.deepEqual(result.rejected, []);
    assert.deepEqual(plain(result.entries[0]), {
      line: 2, id: "f-1", date: "2026-03-14", product: "Espresso Machine", channel: "web", rating: 4, comment: "Great & quick coffee ok",
    }); // prettier-ignore
    assert.deepEqual(
      result.entries.slice(1).map((entry) => [entry["date"], entry["rating"], entry["comment"]]),
      [
        ["2026-03-03", undefined, "a < b and <3 you"],
        ["2024-02-29", 4, "😀"],
        ["2026-02-01", 3, "ok"],
      ],
    );
  });

  test("every bad row has a reason", async () => {
    const guest = await open("assemblyscript/cleaner");
    const good = ["f-1", "2026-03-14", "Kettle", "web", "5", "Great"];
    const wrong = (at: number, cell: string) => good.map((value, n) => (n === at ? cell : n === 0 ? `f-${at}${cell}` : value));
    const rows = [
      good,
      good,
      wrong(1, "2026-02-30"),
      wrong(1, "soon"),
      wrong(2, " "),
      wrong(4, "6"),
      wrong(4, "five"),
      wrong(5, "<p></p>"),
      ["", "x"],
    ];
    const { entries, rejected } = (await guest.call(clean, [header, rows.map((cells, n) => row(n + 2, ...cells))])) as {
      entries: unknown[];
      rejected: { line: number; reason: string; text: string }[];
    };
    assert.equal(entries.length, 1);
    assert.deepEqual(
      rejected.map(({ line, reason }) => [line, reason]),
      [
        [3, "the id of an earlier line"],
        [4, "no valid date"],
        [5, "no valid date"],
        [6, "no product"],
        [7, "a rating that is not 1 to 5"],
        [8, "a rating that is not 1 to 5"],
        [9, "no comment"],
        [10, "no id"],
      ],
    );
    assert.equal(rejected[0]?.text, "f-1,2026-03-14,Kettle,web,5,Great");
  });

  test("missing columns are an error", async () => {
    const guest = await open("assemblyscript/cleaner");
    const problem = await errorOf(guest.call(clean, [["id", "comment", "more"], []]));
    assert.deepEqual(plain(problem), { tag: "missing-columns", val: ["date", "product", "channel", "rating"] });
  });

  test("any cells are entries or are rejected, and none is lost", async () => {
    const guest = (await open("assemblyscript/cleaner")).function(clean);
    const cells = fc.array(fc.array(fc.string({ unit: "binary" }), { maxLength: 7 }), { maxLength: 10 });
    fc.assert(
      fc.property(cells, (rows) => {
        const { entries, rejected } = guest(
          header,
          rows.map((row, n) => ({ line: n, cells: row })),
        ) as { entries: []; rejected: [] };
        assert.equal(entries.length + rejected.length, rows.length);
      }),
    );
    const long = "😀".repeat(5000);
    const { rejected } = guest(header, [row(1, "", `x${long}`)]) as { rejected: { text: string }[] };
    assert.ok(rejected[0]?.text.isWellFormed());
  });

  test("texts are cleaned one by one too", async () => {
    const guest = (await open("assemblyscript/cleaner")).function("acme:feedback/cleaning@1.0.0#clean-text");
    assert.equal(guest(" <b>Tom</b>&nbsp;&amp; &quot;Jerry&quot; &unknown; "), 'Tom & "Jerry" &unknown;');
    for (const text of HOSTILE) assert.equal(typeof guest(text), "string");
  });
});

suite("assemblyscript/document", () => {
  const at = (name: string) => `acme:document/documents@1.0.0#${name}`;

  test("documents live from call to call and end when they are finished", async () => {
    const guest = await open("assemblyscript/document");
    const first = await guest.call(at("[constructor]document"), ["Πρώτο"]);
    const second = await guest.call(at("[constructor]document"), ["Second"]);
    await guest.call(at("[method]document.heading"), [first, "Part"]);
    await guest.call(at("[method]document.paragraph"), [first, "Text 😀"]);
    await guest.call(at("[method]document.bullet"), [second, "point"]);
    assert.equal(await guest.call(at("[method]document.length"), [first]), 2);
    assert.equal(await guest.call(at("alive")), 2);
    const both = await guest.call(at("[static]document.concat"), [first, second]);
    assert.equal(await guest.call(at("[method]document.render"), [second]), "# Second\n\n- point\n");
    assert.equal(await guest.call(at("[static]document.finish"), [both]), "# Πρώτο\n\n## Part\n\nText 😀\n\n- point\n");
    assert.equal(await guest.call(at("alive")), 1);
  });

  test("the collector keeps what is alive and nothing else", async () => {
    const guest = await open("assemblyscript/document");
    const [create, paragraph, finish] = ["[constructor]document", "[method]document.paragraph", "[static]document.finish"].map(
      (name) => guest.function(at(name)),
    );
    const kept = create?.("kept");
    paragraph?.(kept, "x".repeat(1000));
    for (let round = 0; round < 2000; round++) {
      const document = create?.(`document ${round}`);
      paragraph?.(document, "y".repeat(1000));
      assert.equal((finish?.(document) as string).length, `# document ${round}\n\n`.length + 1001);
    }
    assert.equal(finish?.(kept), `# kept\n\n${"x".repeat(1000)}\n`);
    assert.equal(await guest.call(at("alive")), 0);
  });
});

suite("wat", () => {
  test("bench gives back what it gets", async () => {
    const guest = await open("wat/bench");
    assert.equal(await guest.call("add", [2 ** 31 - 1, 1]), -(2 ** 31));
    const person = { id: 7, name: "Ada", score: 1.5, active: true };
    const numbers = Uint32Array.from({ length: 10_000 }, (_, n) => n * 7919);
    const strings = Array.from({ length: 1000 }, (_, n) => `string ${n} ü`);
    for (let round = 0; round < 50; round++) {
      assert.equal(await guest.call("echo", ["Ünïcode 😀"]), "Ünïcode 😀");
      assert.deepEqual(plain(await guest.call("echo-record", [person])), person);
      assert.deepEqual([...((await guest.call("echo-numbers", [numbers])) as Iterable<number>)], [...numbers]);
      assert.deepEqual(await guest.call("echo-strings", [strings]), strings);
    }
    assert.equal(await guest.call("sum", [numbers]), BigInt((7919 * 10_000 * 9999) / 2));
    assert.equal(((await guest.call("echo", ["x".repeat(3_000_000)])) as string).length, 3_000_000);
  });

  test("echo gives back every kind of value", async () => {
    const guest = await open("wat/echo");
    const large = {
      a: 255, b: -5n, c: "c", d: 1.5, e: "blue", f: { read: true, write: false, execute: true }, g: ["x", ""],
      h: { tag: "circle", val: 0.25 }, i: ["é", 9], j: true, k: { tag: "text", val: "deep" },
    }; // prettier-ignore
    const flags = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`b${n}`, n % 3 === 0]));
    const values: Record<string, unknown[]> = {
      bool: [true, false], u8: [0, 255], s8: [-128, 127], u16: [65_535], s16: [-32_768], u32: [4_294_967_295], s32: [-2_147_483_648],
      u64: [2n ** 64n - 1n], s64: [-(2n ** 63n)], f32: [0.5, Infinity], f64: [Math.PI, -0], char: ["é", "😀"], string: ["", "Ünï\0😀"],
      bytes: [Uint8Array.of(0, 255)], "list-bool": [[], [true, false]], "list-char": [["a", "😀"]], "list-string": [["", "ü"]],
      "list-list": [[Uint8Array.of(1), Uint8Array.of()]], "list-pair": [[["a", 1n], ["b", 2n]]], tuple: [[1, 2.5, "c", -4n]],
      "option-option-u8": [{ tag: "none" }, { tag: "some", val: undefined }, { tag: "some", val: 255 }],
      "option-list": [undefined, Uint16Array.of(1, 65_535)],
      "option-u32": [undefined, 0], "option-string": [undefined, "", "x"], "list-option": [[undefined, 1.5]], color: ["red", "blue"],
      "list-color": [["green"]], permission: [{ read: false, write: true, execute: false }], "thirty-two": [flags],
      shape: [{ tag: "point" }, { tag: "circle", val: 2.5 }, { tag: "square", val: 9 }, { tag: "tag", val: "😀" }, { tag: "sign", val: -1 }],
      "list-shape": [[{ tag: "sign", val: -128 }, { tag: "circle", val: 1e300 }]],
      message: [{ tag: "text", val: "hi" }, { tag: "code", val: 404 }, { tag: "quit" }],
      outcome: [{ outcome: { tag: "ok", val: "fine" } }, { outcome: { tag: "err", val: 3 } }], large: [large], "list-large": [[large, large]],
    }; // prettier-ignore
    for (const [name, given] of Object.entries(values)) {
      for (const value of given) assert.deepEqual(await guest.call(`echo-${name}`, [value]), value, name);
    }
    const typed: Record<string, ArrayBufferView> = {
      "list-s16": Int16Array.of(-1, 2), "list-u32": Uint32Array.of(7), "list-s64": BigInt64Array.of(-1n), "list-f32": Float32Array.of(0.5),
      "list-f64": Float64Array.of(Math.PI),
    }; // prettier-ignore
    for (const [name, value] of Object.entries(typed)) assert.deepEqual(await guest.call(`echo-${name}`, [value]), value, name);
    assert.equal(await guest.call("echo-nothing"), undefined);
    assert.equal(await guest.call("echo-result", [{ outcome: { tag: "ok", val: "fine" } }]), "fine");
    assert.equal(await errorOf(guest.call("echo-result", [{ outcome: { tag: "err", val: 3 } }])), 3);
  });

  test("counters are resources with a destructor", async () => {
    const guest = await open("wat/counter");
    const at = (name: string) => `acme:counter/counters@1.0.0#${name}`;
    const counter = await guest.call(at("[constructor]counter"), [5]);
    assert.equal(await guest.call(at("[method]counter.increment"), [counter]), 6);
    assert.equal(await guest.call(at("[method]counter.value"), [counter]), 6);
    assert.equal(await guest.call(at("[static]counter.consume"), [counter]), 6);
    assert.equal(await guest.call(at("dropped")), 1);
    await assert.rejects(guest.call(at("[method]counter.value"), [counter]));
  });

  test("nested components call each other", async () => {
    const guest = await open("wat/nested");
    assert.equal(await guest.call("shout", ["ü"]), "ü!");
    for (let round = 0; round < 3; round++) assert.equal(await guest.call("twice", ["hey"]), "hey!!");
  });

  test("a host is asked by function and by interface", async () => {
    const heard: string[] = [];
    const guest = await open("wat/host", {
      log: (message: string) => heard.push(message),
      "acme:numbers/math@1.2.0": { scale: (value: number, by: number) => value * by },
    });
    assert.equal(await guest.call("relay", ["four"]), -8);
    assert.deepEqual(heard, ["four"]);
  });
});

test("from a file of feedback to a report, through five guests in three languages", async () => {
  const csv = [
    "id,date,product,channel,rating,comment",
    'f-1,2026-01-05,Kettle,web,5,"Love it, boils quickly"',
    "f-2,2026-01-09,kettle,email,★★☆☆☆,Lid broke after a week",
    "f-3,tomorrow,Kettle,web,4,Nice",
    "f-4,2026-02-01,Teapot",
    "f-5,2026-02-02,Teapot,store,,It has a spout",
  ].join("\n");
  const call = async (name: string, operation: string, ...args: unknown[]) =>
    (await open(name)).call(operation, args) as Promise<never>;
  const { header, rows, rejected: unreadable } = await call("rust/csv", "acme:csv/reader@1.0.0#parse", csv);
  const { entries, rejected: unusable } = await call(
    "assemblyscript/cleaner",
    "acme:feedback/cleaning@1.0.0#clean",
    header,
    rows,
  );
  const scored = await call("c/sentiment", "acme:sentiment/scoring@1.0.0#score", entries);
  const group = (key: string) => call("rust/stats", "acme:stats/grouping@1.0.0#group-by", scored, key);
  const report: string = await call(
    "rust/markdown",
    "acme:markdown/reporting@1.0.0#report",
    "Feedback",
    await call("rust/stats", "acme:stats/grouping@1.0.0#overall", scored),
    await group("product"),
    await group("month"),
    await call("rust/stats", "acme:stats/grouping@1.0.0#strongest", scored, 3),
    await call("rust/stats", "acme:stats/rejects@1.0.0#tally", unreadable, unusable),
  );
  assert.match(report, /^# Feedback\n\n3 entries, mean rating 3\.50 of 5, .* 1 positive, 1 neutral, 1 negative\.\n/);
  assert.match(report, /\| Kettle +\| +2 \| 3\.50 \| +3\.5 \| +2\.12 \|/);
  assert.match(report, /“Lid broke after a week” \(Kettle, -0\.\d\d, line 3\)/);
  assert.match(report, /2 lines could not be used:\n\n- 1 × 3 cells instead of 6\n- 1 × no valid date\n/);
});

suite("rust/sessions", () => {
  const SESSIONS = "acme:sessions/sessions@1.0.0";

  async function sessions(key: string | undefined, seconds: number): Promise<Instance> {
    const settings: Record<string, string | undefined> = { key, password: "seagull" };
    return await open("rust/sessions", {
      "wasi:config/store": { get: (name: string) => settings[name] },
      "wasi:clocks/wall-clock": { now: () => ({ seconds: BigInt(seconds), nanoseconds: 0 }) },
    });
  }

  const textIn = (value: unknown, field: string): string =>
    typeof value === "object" && value !== null ? String(Reflect.get(value, field)) : "";

  test("a token says who signed in, for an hour, to whoever has the key; every other text is nobody's", async () => {
    const guest = await sessions("some key", 1000);
    for (const name of ["Ada", "Zoë <b>", "👩‍👩‍👧"]) {
      const session = await guest.call(`${SESSIONS}#sign-in`, [name, "seagull"]);
      const token = textIn(session, "token");
      assert.equal(await guest.call(`${SESSIONS}#check`, [token]), name);
      assert.equal(await guest.call(`${SESSIONS}#check-bearer`, [`bEARER ${token}`]), name);
      assert.equal(textIn(session, "cookie"), `session=${token}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax`);
      const later = await sessions("some key", 4600);
      assert.deepEqual(plain(await errorOf(later.call(`${SESSIONS}#check`, [token]))), { tag: "expired" });
      const other = await sessions("other key", 1000);
      assert.deepEqual(plain(await errorOf(other.call(`${SESSIONS}#check`, [token]))), { tag: "forged" });
      for (let i = 0; i < token.length; i++) {
        const changed = `${token.slice(0, i)}${token[i] === "0" ? "1" : "0"}${token.slice(i + 1)}`;
        assert.deepEqual(plain(await errorOf(guest.call(`${SESSIONS}#check`, [changed]))), { tag: "forged" }, changed);
      }
    }
  });

  test("a token is signed as HMAC with SHA-256 has it, whatever the length of the key", async () => {
    for (const key of ["k", "a".repeat(64), "é".repeat(100)]) {
      const guest = await sessions(key, 7);
      const token = textIn(await guest.call(`${SESSIONS}#sign-in`, ["Ada", "seagull"]), "token");
      const claim = `${Buffer.from("Ada").toString("hex")}.3607`;
      assert.equal(token, `${claim}.${createHmac("sha256", key).update(claim).digest("hex")}`);
    }
  });

  test("nobody signs in without the password or a name, and hostile texts are refused", async () => {
    const guest = await sessions("some key", 0);
    for (const [name, password] of [
      ["Ada", "Seagull"],
      ["Ada", ""],
      ["", "seagull"],
      ["a.b", "seagull"],
      ["a".repeat(41), "seagull"],
    ])
      assert.deepEqual(plain(await errorOf(guest.call(`${SESSIONS}#sign-in`, [name, password]))), { tag: "wrong-password" });
    for (const text of HOSTILE) {
      const { tag } = plain(await errorOf(guest.call(`${SESSIONS}#check`, [text]))) as { tag: string };
      assert.equal(tag, text === "" ? "signed-out" : "forged");
    }
    assert.deepEqual(plain(await errorOf(guest.call(`${SESSIONS}#check`, [undefined]))), { tag: "signed-out" });
    assert.deepEqual(plain(await errorOf(guest.call(`${SESSIONS}#check-bearer`, ["Basic abc"]))), { tag: "signed-out" });
    const unset = await sessions(undefined, 0);
    assert.equal(textIn(await errorOf(unset.call(`${SESSIONS}#check`, ["a.1.b"])), "tag"), "set-up");
  });
});
