// A Chromium without a window, for pages of this machine only: found or installed, started with an empty profile, ended with all it wrote.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable, Writable } from "node:stream";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

export function findChromium(): string | undefined {
  const chosen = process.env["STARLANE_BROWSER"];
  if (chosen !== undefined) return chosen;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian's package, where this may be done; the answer is what was found then. */
export function installChromium(): string | undefined {
  if (process.getuid?.() !== 0 || !isDebian()) return undefined;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", "chromium"]]) {
    const { status, stderr } = spawnSync("/usr/bin/apt-get", ["-qq", ...args], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
    });
    if (status !== 0) process.stderr.write(`apt-get ${args.join(" ")} failed:\n${stderr.slice(-2000)}\n`);
  }
  return findChromium();
}

function isDebian(): boolean {
  return existsSync("/etc/os-release") && /^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"));
}

export interface Chromium extends AsyncDisposable {
  /** Resolves with what happened when the browser or a page of it is gone before its time. */
  readonly gone: Promise<string>;
}

/** Its sandbox does not work for root; it opens only what the server of the tests serves. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--no-default-browser-check",
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  "--disable-background-networking",
  "--disable-background-timer-throttling",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-pipe",
];

/** Opens a page for each address: pages have processes of their own. */
export function startChromium(program: string, urls: readonly string[]): Chromium {
  const profile = mkdtempSync(join(tmpdir(), "starlane-browser-"));
  const child = spawn(program, [...FLAGS, `--user-data-dir=${profile}`], {
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
  });
  const exited = exitOf(child, program);
  const crashed = control(child, urls);
  return {
    gone: Promise.race([exited, crashed]),
    async [Symbol.asyncDispose]() {
      // Without its pipe the browser ends by itself; also where this process is killed.
      pipes(child).commands.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await exited;
      clearTimeout(timer);
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

function exitOf(child: ChildProcess, program: string): Promise<string> {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (said = (said + chunk).slice(-2000)));
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(`${program} could not be started: ${error.message}`));
    child.on("exit", (code, signal) => resolve(`the browser ended (${signal ?? `status ${code}`}):\n${said}`));
  });
}

/** Its DevTools protocol: JSON messages, each ended by a zero. Opens the pages; resolves when one crashes. */
function control(child: ChildProcess, urls: readonly string[]): Promise<string> {
  const { commands, events } = pipes(child);
  commands.on("error", () => undefined); // that it is gone, its exit tells
  const send = (id: number, method: string, params: object): void =>
    void commands.write(`${JSON.stringify({ id, method, params })}\0`);
  send(1, "Target.setDiscoverTargets", { discover: true });
  for (const [i, url] of urls.entries()) send(i + 2, "Target.createTarget", { url });
  let text = "";
  return new Promise((resolve) => {
    events.setEncoding("utf8").on("data", (chunk: string) => {
      const messages = (text + chunk).split("\0");
      text = messages.pop() ?? "";
      for (const message of messages) {
        const { method, params, error } = JSON.parse(message) as {
          method?: string;
          params?: { status?: string };
          error?: { message: string };
        };
        if (method === "Target.targetCrashed") resolve(`the page crashed: ${params?.status ?? "for an unknown reason"}`);
        if (error !== undefined) resolve(`the browser refused a command: ${error.message}`);
      }
    });
  });
}

function pipes(child: ChildProcess): { readonly commands: Writable; readonly events: Readable } {
  return { commands: child.stdio[3] as Writable, events: child.stdio[4] as Readable };
}
