import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";
import { temporaryFolder } from "./fixtures/command.ts";
import { Dev } from "./fixtures/dev.ts";

const manifest = (text: string): string => `starlane: v1
name: test/shop
operations:
  title:
    output: { html: string }
    flow: |
      title -> <>.html
    nodes:
      title: { uses: "core::expr", with: { expr: "'<!doctype html><title>t</title><h1>${text}</h1>'" } }
triggers:
  - http: { port: 0 }
    routes:
      - route: GET /made -> title
        answer: { port: html, type: "text/html; charset=utf-8" }
      - /* -> static: ./pages
`;

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<style>body { font: 18px/1.6 Georgia, serif; margin: 0; } header { background: #234; color: #fff; padding: 2rem; } main { padding: 2rem; max-width: 40rem; }</style>
</head><body><header><h1>The shop</h1></header><main><p id="text">one</p><p>Everything that a small shop sells, and a little more of it.</p></main></body></html>
`;

const program = findChromium();
const needs = { skip: program === undefined ? "no Chromium on this machine" : false };
/** Where pictures of the pages go, to be looked at. */
const pictures = process.env["STARLANE_PICTURES"];

function findChromium(): string | undefined {
  for (const name of [process.env["STARLANE_BROWSER"], "chromium", "chromium-browser", "google-chrome"]) {
    try {
      if (name === undefined) continue;
      execFileSync(name, ["--version"], { stdio: "ignore" });
      return name.includes("/") ? name : execFileSync("which", [name], { encoding: "utf8" }).trim();
    } catch {
      // Not this one.
    }
  }
  return undefined;
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

describe("the pages of an app under development", needs, () => {
  let browser: Browser;
  const folder = temporaryFolder();
  const put = (path: string, text: string): void => {
    mkdirSync(join(folder.path, path, ".."), { recursive: true });
    writeFileSync(join(folder.path, path), text);
  };
  before(async () => {
    browser = await chromium.launch({ executablePath: program ?? "", args: ["--no-sandbox"] });
  });
  after(async () => {
    await browser.close();
    folder[Symbol.dispose]();
  });

  const MISTAKE = manifest("two")
    .replace("static: ./pages", "static: pages")
    .replace("GET /made -> title", "GET /made -> titles");

  test("show the mistakes of the last change over the page, and load again when they are mended", async () => {
    put("starlane.yaml", manifest("one"));
    put("pages/index.html", PAGE);
    await using dev = await Dev.start(["."], { cwd: folder.path });
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser.newContext({ colorScheme, viewport: { width: 1100, height: 760 } });
      const page = await context.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(error.message));
      await page.goto(`${dev.app}/made`);
      assert.equal(await page.getByRole("heading").textContent(), colorScheme === "light" ? "one" : "two");
      await page.goto(dev.app);
      const following = page.waitForResponse(/\/\.starlane\/dev\/events/);
      await page.reload();
      await following;
      await dev.save("starlane.yaml", MISTAKE, /goes on/);
      const dialog = page.getByRole("alertdialog");
      await dialog.waitFor();
      assert.match((await dialog.textContent()) ?? "", /The last change has \d mistakes.*there is no operation titles/s);
      assert.equal(await page.locator("#text").textContent(), "one", "the page itself stays");
      await picture(page, `overlay-${colorScheme}`);
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      // Another mistake is worth another look.
      await dev.save("starlane.yaml", MISTAKE.replace("titles", "titelz"), /goes on/);
      await dialog.waitFor();
      const again = page.waitForEvent("load");
      await dev.save("starlane.yaml", manifest("two"), /is served/);
      await again;
      assert.equal(await dialog.count(), 0);
      assert.deepEqual(errors, []);
      await context.close();
    }
  });

  test("load again when a file that they are made of changes, and keep a policy that forbids inline scripts", async () => {
    put("starlane.yaml", manifest("one"));
    const strict = PAGE.replace(
      "<head>",
      `<head><meta http-equiv="Content-Security-Policy" content="default-src 'self'; style-src 'self'; require-trusted-types-for 'script'">`,
    ).replace(/<style>.*<\/style>/s, "");
    put("pages/index.html", strict);
    await using dev = await Dev.start(["."], { cwd: folder.path });
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("console", (message) => void (message.type() === "error" && errors.push(message.text())));
    const following = page.waitForResponse(/\/\.starlane\/dev\/events/);
    await page.goto(dev.app);
    await following;
    const again = page.waitForEvent("load");
    put("pages/index.html", strict.replace(">one<", ">two<"));
    await again;
    assert.equal(await page.locator("#text").textContent(), "two");
    assert.equal((await dev.state()).version, 1, "the app itself did not change");
    await dev.save("starlane.yaml", MISTAKE, /goes on/);
    await page.getByRole("alertdialog").waitFor();
    assert.deepEqual(
      errors.filter((text) => !text.includes("404")),
      [],
    );
    await page.close();
  });

  test("are the mistakes themselves where nothing was ever served, until something is", async () => {
    put("starlane.yaml", MISTAKE);
    put("pages/index.html", PAGE);
    await using dev = await Dev.start(["."], { cwd: folder.path });
    for (const [name, viewport] of [
      ["wide", { width: 1100, height: 760 }],
      ["narrow", { width: 380, height: 700 }],
    ] as const) {
      const page = await browser.newPage({ viewport });
      await page.goto(dev.app);
      assert.match((await page.getByRole("heading").textContent()) ?? "", /^The app has \d mistakes$/);
      await picture(page, `error-page-${name}`);
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(tooWide, false);
      await page.close();
    }
    const page = await browser.newPage();
    const following = page.waitForResponse(/\/\.starlane\/dev\/events/);
    await page.goto(dev.app);
    await following;
    const changed = page.waitForEvent("load");
    await dev.save("starlane.yaml", manifest("x").replace("title -> <>", "titel -> <>"), /nothing is served yet/);
    await changed;
    assert.equal(await page.getByRole("heading").textContent(), "The app has a mistake");
    const served = page.waitForEvent("load");
    await dev.save("starlane.yaml", manifest("x"), /is served/);
    await served;
    await page.locator("#text").waitFor();
    await page.close();
  });

  test("the dashboard shows what is served, what was run, and what is wrong", async () => {
    put("starlane.yaml", manifest("one"));
    await using dev = await Dev.start(["."], { cwd: folder.path });
    const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
    const errors: string[] = [];
    page.on("console", (message) => void (message.type() === "error" && errors.push(message.text())));
    await page.goto(dev.dashboard);
    await page.getByText("test/shop").first().waitFor();
    await fetch(`${dev.app}/made`);
    await dev.save("starlane.yaml", MISTAKE, /goes on/);
    await page.getByText("there is no operation").first().waitFor();
    await picture(page, "dashboard");
    assert.deepEqual(errors, []);
    await page.close();
  });
});
