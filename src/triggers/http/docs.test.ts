import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { openPage } from "./fixtures/browser.ts";
import { curl, operation, serve, signature, wit } from "./fixtures/client.ts";
import type { OperationRoute } from "./http.ts";
import { openApiDocument } from "./openapi.ts";

const line = wit("record { sku: string, count: u32 }");
const list = { kind: "list", element: line } as const;
const order = {
  kind: "record",
  fields: [
    { name: "lines", type: list },
    { name: "gift", type: line },
  ],
} as const;

const routes: readonly OperationRoute[] = [
  operation(
    "GET /orders/{id}",
    { ...signature({ id: "u8" }, undefined, "variant { gone(string), busy }"), result: { kind: "option", type: order } },
    ([id]) => (id === 9 ? undefined : { lines: [{ sku: `<b>${String(id)}`, count: 1 }], gift: { sku: "g", count: 0 } }),
    {
      operation: "orders::find",
      description: "One order.",
      answer: { errorStatus: new Map([["gone", 410]]) },
    },
  ),
  operation(
    "POST /orders",
    signature({ name: "string", count: "u32" }, "string"),
    ([name, count]) => `${String(name)} x ${String(count)}`,
    { operation: "orders::place" },
  ),
  operation(
    "GET /search/{rest...}",
    signature({ rest: "string", q: "list<string>", token: "option<string>" }, "list<u8>"),
    () => new Uint8Array(),
    {
      operation: "orders::find",
      bindings: [
        { port: "rest", from: "path" },
        { port: "q", from: "query" },
        { port: "token", from: "header", name: "X-Token" },
      ],
    },
  ),
  operation("GET /follow", signature({}, "stream<u32>"), async function* () {
    yield await Promise.resolve([1, 2]);
  }),
];

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

const program = findChromium();

test("the document has every operation once, with its parameters, bodies and answers, and each reference leads somewhere", () => {
  const document = openApiDocument({ title: "T", version: "1" }, routes);
  const text = JSON.stringify(document);
  for (const [, reference] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    let found: unknown = document;
    for (const key of reference?.split("/") ?? []) found = isObject(found) ? found[key] : undefined;
    assert.ok(typeof found === "object");
  }
  const { paths, components } = JSON.parse(text);
  assert.deepEqual(Object.keys(paths), ["/orders/{id}", "/orders", "/search/{rest}", "/follow"]);
  assert.ok("orders-find.result.record" in components.schemas, Object.keys(components.schemas).join());
  const find = paths["/orders/{id}"].get;
  assert.equal(find.operationId, "orders-find");
  assert.deepEqual(Object.keys(find.responses).toSorted(), ["200", "400", "404", "410", "default"]);
  assert.deepEqual(find.parameters, [
    { name: "id", in: "path", required: true, schema: { type: "integer", minimum: 0, maximum: 255 } },
  ]);
  const place = paths["/orders"].post;
  assert.deepEqual(place.requestBody.content["application/json"].schema.required, ["name", "count"]);
  const search = paths["/search/{rest}"].get;
  assert.equal(search.operationId, "orders-find-get");
  assert.deepEqual(
    search.parameters.map((p: { in: string; name: string; required: boolean }) => `${p.in} ${p.name} ${p.required}`),
    ["path rest true", "query q false", "header x-token false"],
  );
  assert.deepEqual(Object.keys(paths["/follow"].get.responses["200"].content), ["application/x-ndjson", "text/event-stream"]);
});

test("a validator of OpenAPI accepts the document", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(
    JSON.parse(JSON.stringify(openApiDocument({ title: "T", version: "1" }, routes))),
  );
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, "3.1");
});

test("the document and the page are served beside the routes, and give way to routes of their paths", async () => {
  const own = operation("GET /docs", signature({}, "string"), () => "mine");
  await using server = await serve([...routes, own], {}, { openApi: { title: "T", version: "1" } });
  assert.equal(JSON.parse((await curl(`${server.url}/openapi.json`)).body).openapi, "3.1.1");
  assert.equal((await curl(`${server.url}/docs`)).body, '"mine"');
});

test(
  "operations can be tried in a browser under a strict policy",
  { skip: program === undefined ? "no Chromium on this machine" : false },
  async () => {
    await using server = await serve(routes, {}, { openApi: { title: "Shop <&>", version: "1", description: "About." } });
    await using page = await openPage(program ?? "");
    await page.open(`${server.url}/docs#orders-find`);
    await until(page.run, "document.querySelectorAll('details').length === 4");
    assert.equal(await page.run("document.querySelector('h1').textContent"), "Shop <&>");
    assert.equal(await page.run("document.querySelector('#orders-find').open"), true);
    const send = (id: string, values: Readonly<Record<string, string>>): string => `{
    const view = document.getElementById(${JSON.stringify(id)});
    for (const [name, value] of Object.entries(${JSON.stringify(values)})) {
      const label = [...view.querySelectorAll("label")].find((label) => label.firstChild.textContent === name);
      document.getElementById(label.htmlFor).value = value;
    }
    view.querySelector("form").requestSubmit();
  }`;
    await page.run(send("orders-find", { id: "7" }));
    await until(page.run, "document.querySelector('#orders-find pre')?.textContent.includes('<b>7')");
    await page.run(send("orders-find", { id: "700" }));
    await until(page.run, "document.querySelector('#orders-find .error')?.textContent.startsWith('expected a whole number')");
    await page.run(send("orders-place", { name: "Ada", count: "3" }));
    await until(page.run, "document.querySelector('#orders-place pre')?.textContent === '\"Ada x 3\"'");
    await page.run(send("app-op", {}));
    await until(page.run, "document.querySelector('#app-op pre')?.textContent === '1\\n2\\n'");
    await page.run(
      "{ const search = document.getElementById('search'); search.value = 'post'; search.dispatchEvent(new Event('input')); }",
    );
    assert.equal(await page.run("[...document.querySelectorAll('details')].filter((view) => !view.hidden).length"), 1);
    assert.deepEqual(
      page.errors.filter((text) => !text.includes("status of 400")),
      [],
    );
  },
);

async function until(run: (expression: string) => Promise<unknown>, condition: string): Promise<void> {
  for (let i = 0; (await run(`Boolean(${condition})`)) !== true; i++) {
    if (i > 400) throw new Error(`it never came to ${condition}: ${String(await run("document.body.innerText"))}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function findChromium(): string | undefined {
  for (const name of [process.env["STARLANE_BROWSER"], "chromium", "chromium-browser", "google-chrome"]) {
    try {
      if (name === undefined) continue;
      execFileSync(name, ["--version"], { stdio: "ignore" });
      return name;
    } catch {
      // Not this one.
    }
  }
  return undefined;
}
