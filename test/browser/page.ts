// A page of the browser: takes one test file after another, and opens a frame for each. Several pages share the files.

import type { PageState, Report } from "./protocol.ts";

/** Newer than the rest: what of it is missing is said once, before tests fail for it in words of their own. */
const NEEDED: Readonly<Record<string, () => boolean>> = {
  "JSPI (WebAssembly.Suspending)": () => "Suspending" in WebAssembly && "promising" in WebAssembly,
  "several memories in a module": () => isValid(5, 5, 2, 0, 1, 0, 1),
  "64-bit memories": () => isValid(5, 3, 1, 4, 1),
  "Uint8Array.fromBase64 and toHex": () => "fromBase64" in Uint8Array && "toHex" in Uint8Array.prototype,
};

const state: PageState = {
  browser: /\S*Chrom\S*/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent,
  lacks: Object.keys(NEEDED).filter((name) => NEEDED[name]?.() !== true),
};

for (;;) {
  const file = (await (await post("/next", state)).json()) as string | null;
  if (file === null) break;
  await run(file);
}

async function run(file: string): Promise<void> {
  const frame = document.createElement("iframe");
  frame.src = `/frame?file=${encodeURIComponent(file)}`;
  const ended = new Promise((resolve) => addEventListener("message", resolve, { once: true }));
  const loaded = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
  document.body.append(frame);
  await loaded;
  if (frame.contentDocument?.title === file) await ended;
  else await tellBroken(file);
  frame.remove();
}

/** The script of the frame, or something that it imports, cannot be loaded. */
async function tellBroken(file: string): Promise<void> {
  const reason = "the page of the file did not start: see the console of a browser";
  const result = { name: ["the page starts"], outcome: "failed", reason, diagnostics: [], durationMs: 0 } as const;
  await post("/report", { kind: "test", file, result } satisfies Report);
  await post("/report", { kind: "file-finished", file } satisfies Report);
}

function post(address: string, body: object): Promise<Response> {
  return fetch(address, { method: "POST", body: JSON.stringify(body) });
}

/** Whether a module with one section of this content is valid. */
function isValid(...section: number[]): boolean {
  return WebAssembly.validate(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section));
}
