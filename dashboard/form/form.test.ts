import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import type { AppView, OperationView } from "../../src/api/contract.ts";
import { Bench, inBrowser, shows } from "../fixtures/browser.ts";
import { portOf, standIn } from "../fixtures/stand-in.ts";

const bench = new Bench();
before(() => bench.start());
after(() => bench.end());

interface Row {
  readonly type: string;
  readonly fill: (page: Page) => Promise<unknown>;
  readonly json: unknown;
}

const box = (page: Page, name: string | RegExp) => page.locator("main form").getByRole("textbox", { name });
const check = (page: Page, name: string | RegExp) => page.locator("main form").getByRole("checkbox", { name });
const choice = (page: Page, name: string | RegExp) => page.locator("main form").getByRole("combobox", { name });
const press = (page: Page, name: string | RegExp) => page.locator("main form").getByRole("button", { name }).first().click();

const ROWS: readonly Row[] = [
  { type: "bool", fill: (page) => check(page, "p").check(), json: true },
  { type: "u8", fill: (page) => box(page, "p").fill("200"), json: 200 },
  { type: "s64", fill: (page) => box(page, "p").fill("-9223372036854775808"), json: "-9223372036854775808" },
  { type: "f64", fill: (page) => box(page, "p").fill("2.5e3"), json: 2500 },
  { type: "char", fill: (page) => box(page, "p").fill("é"), json: "é" },
  { type: "string", fill: (page) => box(page, "p").fill('two\nlines "quoted"'), json: 'two\nlines "quoted"' },
  { type: "enum { red, green }", fill: (page) => choice(page, "p").selectOption("green"), json: "green" },
  { type: "flags { read, write }", fill: (page) => check(page, "write").check(), json: ["write"] },
  {
    type: "record { name: string, age: option<u8> }",
    fill: async (page) => {
      await box(page, "name").fill("Ada");
      await check(page, /age/).check();
      await box(page, "age").fill("36");
    },
    json: { name: "Ada", age: 36 },
  },
  {
    type: "tuple<u8, string>",
    fill: async (page) => {
      await box(page, "1").fill("1");
      await box(page, "2").fill("b");
    },
    json: [1, "b"],
  },
  {
    type: "list<string>",
    fill: async (page) => {
      for (const i of [1, 2, 3]) {
        await press(page, /^Add/);
        await box(page, `p ${i}`).fill(`item ${i}`);
      }
      await press(page, "Remove p 2");
    },
    json: ["item 1", "item 3"],
  },
  {
    type: "list<u8>",
    fill: async (page) => {
      await choice(page, /How p is written/).selectOption("base64");
      await box(page, "p").fill("AAEC");
    },
    json: "AAEC",
  },
  {
    type: "list<u8, 2>",
    fill: async (page) => {
      await choice(page, /How p is written/).selectOption("file");
      await page
        .locator("main form input[type=file]")
        .setInputFiles({ name: "a.bin", mimeType: "a/b", buffer: Buffer.from([1, 2]) });
      await shows(page.locator("main form"), /a\.bin, 2 bytes/);
    },
    json: "AQI=",
  },
  {
    type: "map<string, u8>",
    fill: async (page) => {
      await press(page, /^Add/);
      await box(page, "Key 1").fill("a");
      await box(page, "Value 1").fill("1");
    },
    json: { a: 1 },
  },
  { type: "option<option<bool>>", fill: (page) => check(page, /p/).first().check(), json: { some: null } },
  {
    type: "variant { none, size(u8), name(string) }",
    fill: async (page) => {
      await choice(page, "p").selectOption("size");
      await box(page, "size").fill("9");
    },
    json: { size: 9 },
  },
  { type: "result<string, u8>", fill: (page) => choice(page, "p").selectOption("error"), json: { error: 0 } },
  {
    type: "list<record { id: u8, tags: list<string> }>",
    fill: async (page) => {
      await press(page, "JSON for p");
      await box(page, "p").fill('[{ "id": 7, "tags": ["x"] }]');
      await press(page, "JSON for p");
      await box(page, "id").fill("8");
    },
    json: [{ id: 8, tags: ["x"] }],
  },
];

function operationOf({ type }: Row, i: number): OperationView {
  return { name: `op-${i}`, ports: [portOf("p", type, { isRequired: true })], result: type };
}

test("the form of every type gives the JSON that was filled in", inBrowser, async () => {
  const app: AppView = { name: "types", file: "", operations: ROWS.map(operationOf), components: [], triggers: [] };
  await using server = await standIn(bench.folder, [], [app]);
  await using open = await bench.open(server.url);
  const { page } = open;
  for (const [i, { type, fill, json }] of ROWS.entries()) {
    await page.goto(`${server.url}/#/app/types/operation/op-${i}`);
    await shows(page.locator("h1"), new RegExp(`^op-${i}$`));
    await fill(page);
    await page.keyboard.press("Control+Enter");
    // The stand-in has no such app: that it was asked is what counts.
    await shows(page.locator(".failure"), /star\/unknown-operation/);
    assert.deepEqual(server.asked[i]?.input, { p: json }, type);
  }
});

test("JSON that is wrong is told at once, and keeps the form from being run", inBrowser, async () => {
  const ports = [portOf("p", "list<u8>"), portOf("q", "record { a: u8 }"), portOf("gone", "option<string>")];
  const app: AppView = { name: "types", file: "", operations: [{ name: "op", ports }], components: [], triggers: [] };
  await using server = await standIn(bench.folder, [], [app]);
  await using open = await bench.open(`${server.url}/#/app/types/operation/op`);
  const { page, errors } = open;
  await press(page, "JSON for q");
  await box(page, "q").fill('{ "b": 1 }');
  await press(page, "JSON for q");
  await shows(page.locator(".port .mistake"), /there is no field of that name/);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await shows(page.locator("form > .mistake"), /cannot be used yet/);
  assert.equal(server.asked.length, 0);
  await box(page, "q").fill('{ "a": 1 }');
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await shows(page.locator(".failure"), /no app/);
  // A port that may be left out is.
  assert.deepEqual(server.asked[0]?.input, { p: "", q: { a: 1 } });
  assert.deepEqual(
    errors.filter((text) => !text.includes("status of 400")),
    [],
  );
});
