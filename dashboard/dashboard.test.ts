import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import type { AppView, TransactionView } from "../src/api/contract.ts";
import { Bench, inBrowser, shows } from "./fixtures/browser.ts";
import { portOf, problemsOf, standIn } from "./fixtures/stand-in.ts";

const bench = new Bench();
before(() => bench.start());
after(() => bench.end());

const REPORT = "#/app/acme%2Ffeedback/operation/report";

test("an app shows its operations, components and what they are granted", inBrowser, async () => {
  await using server = await standIn(bench.folder, ["feedback", "shortener"]);
  await using open = await bench.open(`${server.url}/#/app/acme%2Fshortener`);
  const { page, errors } = open;
  await shows(page.locator("h1"), /^acme\/shortener$/);
  assert.deepEqual(await page.locator(".operations a").allInnerTexts(), ["shorten", "follow", "find", "popular"]);
  await shows(page.locator(".card"), /links[\s\S]*shortener\.wasm[\s\S]*sql/);
  await page.getByRole("link", { name: "acme/feedback" }).first().click();
  await shows(page.locator(".card"), /No grants: computation only\./);
  await page.getByRole("link", { name: "csv", exact: true }).first().click();
  await shows(page.locator(".facts"), /WebAssembly component/);
  assert.match(await page.title(), /Starlane/);
  assert.deepEqual(errors, []);
});

test("a flow is drawn with all its nodes and edges, and a node tells its ports, types and constants", inBrowser, async () => {
  await using server = await standIn(bench.folder, ["feedback", "errors"]);
  await using open = await bench.open(`${server.url}/${REPORT}`);
  const { page, errors } = open;
  const graph = server.state.apps[0]?.operations[0]?.graph;
  assert.ok(graph);
  await page.locator(".react-flow__edge").first().waitFor();
  assert.equal(await page.locator(".react-flow__node").count(), graph.nodes.length);
  assert.equal(await page.locator(".react-flow__edge").count(), graph.edges.length);
  assert.equal(await page.locator(".line.error").count(), graph.edges.filter(({ kind }) => kind === "error").length);
  assert.equal(await page.locator(".line text").count(), graph.edges.filter(({ label }) => label !== undefined).length);
  // Lines end where ports are drawn.
  const gaps = await page.evaluate(() =>
    [...document.querySelectorAll(".line .way")].map((way) => {
      if (!(way instanceof SVGPathElement)) return NaN;
      const end = way.getPointAtLength(way.getTotalLength()).matrixTransform(way.getScreenCTM() ?? undefined);
      const centres = [...document.querySelectorAll(".react-flow__handle-left")].map((handle) => {
        const { left, top, width, height } = handle.getBoundingClientRect();
        return Math.hypot(left + width / 2 - end.x, top + height / 2 - end.y);
      });
      return Math.min(...centres);
    }),
  );
  assert.ok(
    gaps.every((gap) => gap < 3),
    gaps.join(" "),
  );
  // The whole flow is in sight.
  const canvas = await page.locator(".canvas").boundingBox();
  for (const node of await page.locator(".react-flow__node").all()) {
    const box = await node.boundingBox();
    assert.ok(canvas && box && box.x >= canvas.x && box.x + box.width <= canvas.x + canvas.width);
    assert.ok(box.y >= canvas.y && box.y + box.height <= canvas.y + canvas.height);
  }
  await page.locator(".react-flow__node[data-id=products]").click();
  const details = page.getByRole("complementary", { name: "Node products" });
  await shows(details, /stats::group-by[\s\S]*entries[\s\S]*list<[\s\S]*from score[\s\S]*always "product"/);
  await details.getByRole("link").click();
  await shows(page.locator("h1"), /^group-by$/);
  assert.deepEqual(errors, []);
});

test("an operation is run from its form, and its result, output and duration are shown", inBrowser, async () => {
  await using server = await standIn(bench.folder, ["feedback"]);
  await using open = await bench.open(`${server.url}/${REPORT}`);
  const { page, errors } = open;
  const csv = "id,date,product,channel,rating,comment\nF-1,2026-03-14,Travel Mug,web,5,Love it\n";
  await page.getByRole("textbox", { name: "csv" }).fill(csv);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await shows(page.locator(".run-state"), /Done in [\d.]+ (ms|s)/);
  await shows(page.locator(".ports"), /report[\s\S]*1 entries|report[\s\S]*# Customer feedback/);
  assert.deepEqual(server.asked[0]?.input, { csv, title: "Customer feedback", quotes: 3 });
  await page.getByRole("button", { name: "Show JSON" }).click();
  await shows(page.locator(".result pre"), /"used": 1/);
  // The same again, and with other values.
  await page.getByRole("button", { name: /^Run again/ }).click();
  await shows(page.locator(".runs"), /Done[\s\S]*Done/);
  await page
    .getByRole("spinbutton", { name: "quotes" })
    .or(page.getByRole("textbox", { name: "quotes" }))
    .fill("1");
  await page.keyboard.press("Control+Enter");
  await shows(page.locator(".runs"), /Done[\s\S]*Done[\s\S]*Done/);
  assert.deepEqual(
    server.asked.map(({ input }) => input["quotes"]),
    [3, 3, 1],
  );
  await page.getByRole("button", { name: /^Edit/ }).last().click();
  assert.equal(await page.getByRole("textbox", { name: "quotes" }).inputValue(), "3");
  await shows(page.locator("#transactions-title + *, table"), /page[\s\S]*done/);
  assert.deepEqual(errors, []);
});

test("a failure tells its code, what, where and what to do, and values that cannot be are told before", inBrowser, async () => {
  await using server = await standIn(bench.folder, ["errors"]);
  await using open = await bench.open(`${server.url}/#/app/acme%2Ferrors/operation/unhandled`);
  const { page, errors } = open;
  await page.getByRole("textbox", { name: "text" }).fill("twelve");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await shows(page.locator(".run-state"), /Failed/);
  await shows(page.locator(".failure"), /twelve[\s\S]*flow\/node-failed[\s\S]*parse-number/);
  await page.goto(`${server.url}/#/app/acme%2Ferrors/operation/tried`);
  await shows(page.locator("h1"), /^tried$/);
  await page.getByRole("textbox", { name: "percent" }).fill("1000");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await shows(page.locator(".field .mistake"), /expected a whole number from 0 to 255/);
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-invalid")), "true");
  assert.equal(server.asked.length, 1);
  assert.deepEqual(errors, []);
});

test("a change that cannot be served is shown above everything, with every mistake and its place", inBrowser, async () => {
  const folder = mkdtempSync(join(tmpdir(), "starlane-broken-"));
  const text = readFileSync(new URL("../examples/errors/starlane.yaml", import.meta.url), "utf8");
  const guests = relative(folder, fileURLToPath(new URL("../guests", import.meta.url)));
  const broken = text.replaceAll("../../guests", guests).replace("faults::percentage", "faults::percentige");
  writeFileSync(join(folder, "starlane.yaml"), broken.replace("attempts: 5", "attempts: many"));
  const problems = await problemsOf(join(folder, "starlane.yaml"));
  rmSync(folder, { recursive: true });
  assert.ok(problems.length > 0);
  await using server = await standIn(bench.folder, ["errors"]);
  await using open = await bench.open(server.url);
  const { page, errors } = open;
  server.change({ status: "building" });
  await shows(page.locator(".status"), /Building/);
  server.change({ status: "broken", problems });
  await shows(page.getByRole("alert"), /could not be served[\s\S]*Version 1 goes on answering/);
  const panel = page.getByRole("region", { name: "The last change could not be served" });
  await shows(panel.locator("pre"), /\^/);
  assert.equal(await panel.locator("li").count(), problems.length);
  for (const { message, cure } of problems) {
    await shows(panel, new RegExp(RegExp.escape(message.replaceAll("`", ""))));
    if (cure !== undefined) await shows(panel, new RegExp(RegExp.escape(cure.replaceAll("`", ""))));
  }
  assert.match(await page.title(), /^Broken/);
  server.change({ status: "ready", version: 2, problems: [] });
  await shows(page.locator(".status"), /Ready/);
  assert.equal(await page.getByRole("alert").count(), 0);
  assert.deepEqual(errors, []);
});

test("a form keeps its values when a new version is served, and follows its ports", inBrowser, async () => {
  await using server = await standIn(bench.folder, ["errors"]);
  await using open = await bench.open(`${server.url}/#/app/acme%2Ferrors/operation/tried`);
  const { page, errors } = open;
  await page.getByRole("textbox", { name: "text" }).fill("kept");
  const [app] = server.state.apps;
  assert.ok(app);
  const operations = app.operations.map((operation) =>
    operation.name === "tried" ? { ...operation, ports: [...operation.ports, portOf("times", "u8")] } : operation,
  );
  server.change({ version: 2, apps: [{ ...app, operations }] });
  await page.getByRole("textbox", { name: "times" }).waitFor();
  assert.equal(await page.getByRole("textbox", { name: "text" }).inputValue(), "kept");
  server.change({ version: 3, apps: [{ ...app, operations: [] }] });
  await shows(page.locator("main"), /Not there/);
  assert.deepEqual(errors, []);
});

test("transactions of all triggers come in while the page is open, and can be filtered", inBrowser, async () => {
  await using server = await standIn(bench.folder, ["errors"]);
  await using open = await bench.open(`${server.url}/#/transactions`);
  const { page, errors } = open;
  const transaction = (id: string, operation: string, more: Partial<TransactionView>): TransactionView => ({
    id,
    app: "acme/errors",
    operation,
    trigger: "GET /tried",
    startedMs: 1_770_000_000_000,
    durationMs: 12.3,
    outcome: "ok",
    output: "",
    ...more,
  });
  await shows(page.locator("main"), /Nothing has run/);
  server.tell(transaction("1", "tried", { output: "it said this" }));
  const error = { code: "flow/timeout", message: "too slow", cure: "Be faster.", at: "in-time/slow" };
  server.tell(transaction("2", "in-time", { outcome: "failed", error, trigger: "schedule nightly" }));
  server.tell(transaction("2", "in-time", { outcome: "failed", error }));
  await shows(
    page.locator("tbody"),
    /in-time[\s\S]*schedule nightly[\s\S]*failed[\s\S]*flow\/timeout[\s\S]*12\.3 ms[\s\S]*tried/,
  );
  assert.equal(await page.locator("tbody tr").count(), 2);
  await page.getByRole("checkbox", { name: "Only what failed" }).check();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.getByRole("button", { name: /^Open/ }).click();
  await shows(page.locator("tr.details"), /too slow[\s\S]*Be faster\.[\s\S]*in-time\/slow/);
  await page.getByRole("checkbox", { name: "Only what failed" }).uncheck();
  await page.getByRole("combobox").selectOption("acme/errors tried");
  await page.getByRole("button", { name: /^Open/ }).click();
  await shows(page.locator("tr.details"), /it said this/);
  await page.goto(`${server.url}/#/app/acme%2Ferrors/operation/in-time`);
  await shows(page.locator("table"), /schedule nightly/);
  assert.deepEqual(errors, []);
});

test("the page says when the server is gone, and goes on when it is back", inBrowser, async () => {
  await using server = await standIn(bench.folder, ["errors"]);
  await using open = await bench.open(server.url);
  const { page } = open;
  await shows(page.locator(".status"), /Ready/);
  server.hang(true);
  await shows(page.locator(".status"), /Connection lost/);
  await page.getByRole("link", { name: "instead" }).first().click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await shows(page.locator(".failure"), /did not answer/);
  server.hang(false);
  server.change({ version: 7 });
  await shows(page.locator(".status"), /Ready[\s\S]*version 7/);
});

test("everything can be done with the keyboard alone", inBrowser, async () => {
  await using server = await standIn(bench.folder, ["errors"]);
  await using open = await bench.open(server.url);
  const { page, errors } = open;
  const { keyboard } = page;
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? "");
  await keyboard.press("Tab");
  assert.equal(await focused(), "Skip to content");
  await keyboard.press("/");
  await keyboard.type("inst");
  await keyboard.press("ArrowDown");
  await keyboard.press("ArrowDown");
  assert.equal(await focused(), "instead");
  await keyboard.press("Enter");
  await shows(page.locator("h1"), /^instead$/);
  assert.equal(await focused(), "instead");
  // From the heading on: the view of the flow, its nodes, the form.
  await page.locator(".react-flow__node").first().waitFor();
  let steps = 0;
  while (!(await page.evaluate(() => document.activeElement?.matches(".react-flow__node") ?? false))) {
    assert.ok(++steps < 12);
    await keyboard.press("Tab");
  }
  await keyboard.press("Enter");
  await shows(page.getByRole("complementary"), /input/);
  while (!(await page.evaluate(() => document.activeElement?.matches("textarea") ?? false))) {
    assert.ok(++steps < 30);
    await keyboard.press("Tab");
  }
  await keyboard.type(" 12 ");
  await keyboard.press("Control+Enter");
  await shows(page.locator(".ports"), /number\s+12/);
  assert.deepEqual(errors, []);
});

const HOSTILE = `<img src=x onerror="document.title='hacked'"><script>document.title='hacked'</script>\u202e${"y".repeat(6000)}`;

test("names, types, outputs and errors are only ever text, and long ones are cut", inBrowser, async () => {
  const operation = {
    name: HOSTILE,
    description: HOSTILE,
    ports: [portOf("in", "string", { type: HOSTILE, sample: HOSTILE })],
    result: HOSTILE,
    graph: {
      name: HOSTILE,
      nodes: [
        {
          id: HOSTILE,
          kind: "operation",
          title: HOSTILE,
          detail: HOSTILE,
          inputs: [{ name: HOSTILE, constant: HOSTILE }],
          outputs: [],
          notes: [HOSTILE],
        },
        { id: "b", kind: "output", title: HOSTILE, inputs: [], outputs: [], notes: [] },
      ],
      edges: [{ from: HOSTILE, to: "b", kind: "value", label: HOSTILE }],
    },
  } as const;
  const app: AppView = {
    name: HOSTILE,
    version: HOSTILE,
    description: HOSTILE,
    file: HOSTILE,
    operations: [operation],
    components: [{ name: HOSTILE, kind: "wasm", file: HOSTILE, grants: [HOSTILE], operations: [operation] }],
    triggers: [HOSTILE, "GET /a -> a"],
  };
  await using server = await standIn(bench.folder, [], [app]);
  await using open = await bench.open(server.url);
  const { page, errors } = open;
  const error = { code: HOSTILE, message: HOSTILE, at: HOSTILE, cure: HOSTILE };
  server.change({
    status: "broken",
    addresses: ["javascript:document.title='hacked'"],
    problems: [{ severity: "error", code: HOSTILE, message: HOSTILE, at: HOSTILE, frame: HOSTILE, cure: HOSTILE }],
  });
  await shows(page.locator(".problems"), /<img src=x/);
  await shows(page.locator(".problems"), /Show all [\d,]+ characters/);
  server.tell({
    id: "1",
    app: HOSTILE,
    operation: HOSTILE,
    trigger: HOSTILE,
    startedMs: NaN,
    durationMs: 1,
    outcome: "failed",
    error,
    output: HOSTILE,
  });
  for (const link of ["nav .group ul a", "nav h3 + ul a", "nav .group:last-child a"]) {
    await page.locator(link).first().click();
    await shows(page.locator("h1"), /<img|Transactions/);
  }
  await page.getByRole("button", { name: /^Open/ }).click();
  await shows(page.locator("tr.details .output"), /<img src=x/);
  assert.equal(await page.locator("img, main script, a[href^=javascript]").count(), 0);
  assert.doesNotMatch(await page.title(), /^hacked/);
  assert.deepEqual(await tooWide(page), []);
  assert.deepEqual(errors, []);
});

test("the policy of the page forbids scripts and markup that are not its own", inBrowser, async () => {
  await using server = await standIn(bench.folder, ["errors"]);
  await using open = await bench.open(server.url);
  const { page, errors } = open;
  const outcome = await page.evaluate(async () => {
    const tried: string[] = [];
    try {
      document.body.insertAdjacentHTML("beforeend", "<b>markup</b>");
    } catch (error) {
      tried.push(error instanceof Error ? error.name : "");
    }
    await fetch("http://127.0.0.2:9/").catch((error: unknown) => tried.push(error instanceof Error ? error.name : ""));
    return tried;
  });
  assert.deepEqual(outcome, ["TypeError", "TypeError"]);
  assert.ok(errors.some((text) => /Content Security Policy|TrustedHTML/.test(text)));
});

test("it is readable in light and dark, as the system says or as chosen, also on a small screen", inBrowser, async () => {
  await using server = await standIn(bench.folder, ["feedback"]);
  for (const colorScheme of ["light", "dark"] as const) {
    await using open = await bench.open(`${server.url}/${REPORT}`, { colorScheme, viewport: { width: 360, height: 740 } });
    const { page, errors } = open;
    await page.locator(".react-flow__edge").first().waitFor();
    const isDark = async (): Promise<boolean> => (await contrasts(page)).page < 0.5;
    assert.equal(await isDark(), colorScheme === "dark");
    assert.deepEqual(await tooWide(page), []);
    assert.deepEqual((await contrasts(page)).weak, []);
    await page.getByRole("button", { name: "Theme: system" }).click();
    assert.equal(await isDark(), false);
    await page.getByRole("button", { name: "Theme: light" }).click();
    assert.equal(await isDark(), true);
    assert.deepEqual((await contrasts(page)).weak, []);
    await page.reload();
    await page.getByRole("button", { name: "Theme: dark" }).waitFor();
    assert.equal(await isDark(), true);
    // The list of operations stands behind a button here.
    assert.equal(await page.getByRole("navigation").count(), 0);
    await page.getByRole("button", { name: "Operations" }).click();
    await page.getByRole("navigation").getByRole("link", { name: "csv" }).click();
    await shows(page.locator("h1"), /^csv$/);
    assert.equal(await page.getByRole("navigation").count(), 0);
    assert.deepEqual(errors, []);
  }
});

/** What reaches beyond the window, where the page can be moved sideways. */
async function tooWide(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const wide = [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > clientWidth);
    return wide.map(({ tagName, className, textContent }) => `${tagName} ${String(className)} ${textContent.slice(0, 20)}`);
  });
}

/** The lightness of the page, and texts whose contrast is below 4.5 (WCAG AA). */
async function contrasts(page: Page): Promise<{ readonly page: number; readonly weak: readonly string[] }> {
  return page.evaluate(() => {
    const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    if (context === null) throw new Error("no canvas");
    const luminance = (color: string): number => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      const [r = 0, g = 0, b = 0] = [...context.getImageData(0, 0, 1, 1).data].map((channel) => {
        const part = channel / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const backdrop = (element: Element | null): string => {
      for (let at = element; at !== null; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at);
        if (!/^(transparent|rgba\(.*, 0\))$/.test(backgroundColor)) return backgroundColor;
      }
      return "white";
    };
    const weak: string[] = [];
    for (const element of document.querySelectorAll("body *")) {
      const text = [...element.childNodes].some((node) => node.nodeType === 3 && (node.nodeValue ?? "").trim() !== "");
      if (!text || element.closest("noscript, svg") !== null) continue;
      const [a, b] = [luminance(getComputedStyle(element).color), luminance(backdrop(element))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) weak.push(`${element.className} ${element.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
    }
    return { page: luminance(backdrop(document.body)), weak };
  });
}
