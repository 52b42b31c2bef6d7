// Serves examples/chat and talks in it as its README says: over websockets, as an SSE client, and in a browser where there is one.

import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { openPage } from "../src/triggers/http/fixtures/browser.ts";
import { MAIN, plainEnvironment, ROOT, run } from "./printed.ts";

const LONGEST_MS = 60_000;

const server: { child?: ChildProcess; address: string } = { address: "" };

before(async () => {
  const child = spawn(process.execPath, [MAIN, "serve", "examples/chat", "--port", "0"], {
    cwd: ROOT,
    env: plainEnvironment(),
    timeout: LONGEST_MS,
  });
  server.child = child;
  for await (const line of createInterface(child.stderr)) {
    const found = /at (http:\/\/[\d.:]+)/.exec(line)?.[1];
    if (found === undefined) continue;
    server.address = found;
    break;
  }
  assert.notEqual(server.address, "");
});

after(async () => {
  const { child } = server;
  if (child === undefined || child.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
});

interface Talker extends AsyncDisposable {
  say(message: object): void;
  /** The next message that is heard. */
  hear(): Promise<unknown>;
}

/** Somebody in the room, from when the first message of their own came back. */
async function enter(name: string): Promise<Talker> {
  const socket = new WebSocket(server.address.replace("http", "ws") + "/talk");
  const heard: unknown[] = [];
  let wake: (() => void) | undefined;
  socket.on("message", (data) => {
    heard.push(JSON.parse(String(data as Buffer)));
    wake?.();
  });
  await once(socket, "open");
  const talker: Talker = {
    say: (message) => socket.send(JSON.stringify(message)),
    async hear() {
      while (heard.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return heard.shift();
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
  talker.say({ name, text: "here" });
  assert.deepEqual(await talker.hear(), { name, text: "here" });
  return talker;
}

/** The events of a response, one by one. */
async function* eventsOf(response: Response): AsyncGenerator<unknown> {
  let rest = "";
  assert(response.body !== null);
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + text).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) if (event.startsWith("data: ")) yield JSON.parse(event.slice(6));
  }
}

test("what one says everybody in the room hears, cleaned, and who left holds nobody up", async () => {
  await using ada = await enter("Ada");
  const left = new AbortController();
  const listening = await fetch(`${server.address}/messages`, {
    headers: { accept: "text/event-stream" },
    signal: left.signal,
  });
  assert.match(listening.headers.get("content-type") ?? "", /event-stream/);
  const events = eventsOf(listening);
  {
    await using grace = await enter("Grace");
    assert.deepEqual(await ada.hear(), { name: "Grace", text: "here" });
    assert.deepEqual((await events.next()).value, { name: "Grace", text: "here" });
    ada.say({ name: "Ada", text: "  <script>alert(1)</script> hello   you " });
    for (const one of [ada, grace]) assert.deepEqual(await one.hear(), { name: "Ada", text: "alert(1) hello you" });
    grace.say({ name: "Grace", text: "<br>" });
    grace.say({ name: "Grace", text: "what is empty is not said" });
    assert.deepEqual(await ada.hear(), { name: "Grace", text: "what is empty is not said" });
  }
  assert.deepEqual((await events.next()).value, { name: "Ada", text: "alert(1) hello you" });
  left.abort();
  ada.say({ name: "Ada", text: "still here" });
  assert.deepEqual(await ada.hear(), { name: "Ada", text: "still here" });
});

test("a message of another form closes the connection of who sent it, and no other", async () => {
  await using ada = await enter("Ada");
  const socket = new WebSocket(server.address.replace("http", "ws") + "/talk");
  await once(socket, "open");
  socket.send('{"name":"Eve"}');
  const [code]: unknown[] = await once(socket, "close");
  assert.equal(code, 1007);
  ada.say({ name: "Ada", text: "fine" });
  assert.deepEqual(await ada.hear(), { name: "Ada", text: "fine" });
});

const browser = [process.env["STARLANE_BROWSER"], "chromium", "chromium-browser", "google-chrome"].find(
  (name) => name !== undefined && spawnSync(name, ["--version"]).status === 0,
);

test("the page says and shows", { skip: browser === undefined ? "there is no Chromium" : false }, async () => {
  await using ada = await enter("Ada");
  await using page = await openPage(browser ?? "");
  await page.open(`${server.address}/`);
  await page.run(`new Promise((done) => { const look = () =>
    document.getElementById("state").textContent === "In the room." ? done() : setTimeout(look, 20); look(); })`);
  await page.run(`(() => { const form = document.querySelector("form"); form.elements.name.value = "Page";
    form.elements.text.value = "from a browser"; form.requestSubmit(); })()`);
  assert.deepEqual(await ada.hear(), { name: "Page", text: "from a browser" });
  ada.say({ name: "Ada", text: "2 &lt; 3" });
  const shown = await page.run(`new Promise((done) => { const look = () => { const items = [...document.querySelectorAll("li")];
    items.length > 1 ? done(items.map((item) => item.textContent).join("|")) : setTimeout(look, 20); }; look(); })`);
  assert.equal(shown, "Pagefrom a browser|Ada2 < 3");
  assert.deepEqual(page.errors, []);
});

test("the tests of examples/chat pass", async () => {
  const { status, stdout, stderr } = await run(process.execPath, [MAIN, "test", "examples/chat"], {
    cwd: ROOT,
    env: plainEnvironment(),
  });
  assert.equal(status, 0, stdout + stderr);
});
