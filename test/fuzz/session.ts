// Runs many cases of a target in a process of their own: one that hangs, crashes or needs too much memory is a finding, and the cases
// after it go on in a new process. Findings are saved with what makes them again.

import { fork } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FromRunner, GUEST_STAGES, type Work } from "./protocol.ts";
import { caseSeed } from "./random.ts";
import { type Stage, STAGES } from "./target.ts";

export const CACHE = join(import.meta.dirname, "../../.cache/fuzz");

/** How long guest code may run before it is stopped, and our own code before it counts as hanging. */
const GUEST_LIMIT_MS = 2_000;
const HANG_LIMIT_MS = 20_000;
const LOOK_EVERY_MS = 100;
const HEAP_MIB = 1500;
/** The case that another process takes over from may be to blame for what comes later: no more than this. */
const MOST_RESTARTS = 200;

export interface SessionOptions {
  readonly target: string;
  readonly seed: number;
  readonly from?: number;
  readonly cases: number;
  readonly small: boolean;
  /** Ends the session early. */
  readonly stop?: AbortSignal;
}

export interface SavedFinding {
  readonly target: string;
  readonly caseSeed: number;
  readonly message: string;
  readonly file: string;
}

export interface SessionResult {
  readonly done: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly findings: readonly SavedFinding[];
}

/** How a process ended: all its cases done (or told to stop), or lost in the middle of one. */
type End = { readonly kind: "done" } | { readonly kind: "lost"; readonly how: string; readonly guest: boolean };

export async function runSession(options: SessionOptions): Promise<SessionResult> {
  const session = new Session(options);
  await session.run();
  return session;
}

class Session implements SessionResult {
  done = 0;
  readonly counts = new Map<string, number>();
  readonly findings: SavedFinding[] = [];
  readonly #options: SessionOptions;
  readonly #stateFile: string;
  readonly #sampleFile: string;
  #ended = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    mkdirSync(CACHE, { recursive: true });
    const name = join(CACHE, `${options.target}.${process.pid}.${Math.trunc(performance.now() * 1000)}`);
    this.#stateFile = `${name}.state`;
    this.#sampleFile = `${name}.sample`;
  }

  async run(): Promise<void> {
    const { from = 0, cases, stop } = this.#options;
    let next = from;
    for (let restarts = 0; restarts < MOST_RESTARTS && next < from + cases && stop?.aborted !== true; restarts++) {
      writeFileSync(this.#stateFile, new Uint8Array(new Int32Array([next, 0]).buffer));
      rmSync(this.#sampleFile, { force: true });
      const end = await this.#watch(next, from + cases);
      const { index } = this.#state();
      if (end.kind === "done") {
        this.done = (this.#ended ? from + cases : index) - from;
        break;
      }
      if (end.guest) this.#count("stopped: guest code ran too long", 1);
      else this.#save(index, end.how, existsSync(this.#sampleFile) ? this.#sampleFile : undefined);
      next = index + 1;
      this.done = next - from;
    }
    for (const file of [this.#stateFile, this.#sampleFile]) rmSync(file, { force: true });
  }

  /** One process, from its start to its end. */
  async #watch(from: number, to: number): Promise<End> {
    const { target, seed, small, stop } = this.#options;
    const work: Work = { target, seed, small, from, to, stateFile: this.#stateFile, sampleFile: this.#sampleFile };
    const child = fork(join(import.meta.dirname, "runner.ts"), [], {
      execArgv: [`--max-old-space-size=${HEAP_MIB}`],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let told = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (told = (told + text).slice(-4000)));
    this.#ended = false;
    child.on("message", (message: FromRunner) => this.#hear(message));
    child.send(work);
    let end: End | undefined;
    const kill = (how: End): void => {
      end ??= how;
      child.kill("SIGKILL");
    };
    const timer = setInterval(() => {
      const lost = this.#look();
      if (lost !== undefined) kill(lost);
    }, LOOK_EVERY_MS);
    const onStop = (): void => kill({ kind: "done" });
    stop?.addEventListener("abort", onStop, { once: true });
    if (stop?.aborted === true) onStop();
    return await new Promise<End>((resolve) => {
      child.on("exit", (code, signal) => {
        clearInterval(timer);
        stop?.removeEventListener("abort", onStop);
        const how = `the process ended (${signal ?? `status ${code ?? ""}`}) in stage ${this.#state().stage}: ${told}`;
        resolve(end ?? (this.#ended ? { kind: "done" } : { kind: "lost", how, guest: false }));
      });
    });
  }

  #seen = { index: -1, stage: "idle", sinceMs: 0 };

  /** How the process is lost, where its case does not come to an end. */
  #look(): End | undefined {
    const { index, stage } = this.#state();
    const now = performance.now();
    if (index !== this.#seen.index || stage !== this.#seen.stage) this.#seen = { index, stage, sinceMs: now };
    const guest = GUEST_STAGES.has(stage);
    const forMs = now - this.#seen.sinceMs;
    return forMs < (guest ? GUEST_LIMIT_MS : HANG_LIMIT_MS) ? undefined : { kind: "lost", how: `hangs in stage ${stage}`, guest };
  }

  #state(): { readonly index: number; readonly stage: Stage } {
    const [index = 0, stage = 0] = new Int32Array(Uint8Array.from(readFileSync(this.#stateFile)).buffer);
    return { index, stage: STAGES[stage] ?? "idle" };
  }

  #hear(message: FromRunner): void {
    switch (message.kind) {
      case "end":
        this.#ended = true;
        return;
      case "counts":
        for (const [what, count] of Object.entries(message.counts)) this.#count(what, count);
        return;
      case "finding": {
        const sample = this.#sampleFile.replace(/sample$/, `${message.index}.sample`);
        this.#save(message.index, message.message, message.extension === undefined ? undefined : sample, message.extension);
      }
    }
  }

  #count(what: string, count: number): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + count);
  }

  #save(index: number, message: string, sample: string | undefined, extension = "bin"): void {
    const { target, seed } = this.#options;
    const name = join(CACHE, `${target}-${caseSeed(seed, index)}`);
    writeFileSync(`${name}.txt`, `${message}\n`);
    const file = sample === undefined ? `${name}.txt` : `${name}.${extension}`;
    if (sample !== undefined && existsSync(sample)) renameSync(sample, file);
    this.findings.push({ target, caseSeed: caseSeed(seed, index), message, file });
  }
}
