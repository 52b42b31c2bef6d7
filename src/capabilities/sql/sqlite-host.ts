// The process of one SQLite file, from outside: requests wait for each other, so it is known which one runs. A statement that is given up
// and goes on nevertheless is ended with the process; what others had open there is lost to them, and the next request starts another.

import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { StarlaneError } from "../../base/errors.ts";
import { unavailable } from "../resources/resource.ts";
import type { SqliteAnswer, SqliteRequest } from "./sqlite-protocol.ts";

const RESOURCE = "the SQL database";
/** What a statement that was given up may still take. */
const GRACE_MS = 100;

type Opening = Extract<SqliteRequest, { kind: "open" }>;
type Asked = Exclude<SqliteRequest, { kind: "open" }>;

/** Who asks: what it has in the process is of one life of it. */
export interface Asker {
  /** The life in which it has something open; undefined: nothing. */
  life: number | undefined;
}

interface Job {
  readonly request: SqliteRequest;
  readonly asker: Asker | undefined;
  readonly answered: PromiseWithResolvers<SqliteAnswer>;
}

export class SqliteHost {
  readonly #opening: Opening;
  readonly #waiting: Job[] = [];
  #child: ChildProcess | undefined;
  #running: Job | undefined;
  /** Rises with each end of the process. */
  life = 0;
  #grace: NodeJS.Timeout | undefined;
  readonly #endWithUs = (): void => void this.#child?.kill("SIGKILL");

  constructor(opening: Opening) {
    this.#opening = opening;
  }

  /** Starts the process and opens the file. @throws StarlaneError `resource/unavailable` (rejects) */
  async open(): Promise<void> {
    process.on("exit", this.#endWithUs);
    this.#start();
    await this.#first;
  }

  #first: Promise<unknown> = Promise.resolve();

  /** @throws StarlaneError `resource/…` (rejects), as the process answered, or because it ended */
  async ask(request: Asked, asker?: Asker): Promise<SqliteAnswer> {
    const job = { request, asker, answered: Promise.withResolvers<SqliteAnswer>() };
    this.#waiting.push(job);
    this.#next();
    return await job.answered.promise;
  }

  get processId(): number | undefined {
    return this.#child?.pid;
  }

  /** Nobody waits any more for what this one asked. */
  giveUp(asker: Asker): void {
    for (const job of this.#waiting.filter((waiting) => waiting.asker === asker)) {
      this.#waiting.splice(this.#waiting.indexOf(job), 1);
      job.answered.reject(gone());
    }
    const running = this.#running;
    if (running?.asker !== asker || this.#grace !== undefined) return;
    this.#grace = setTimeout(() => {
      if (this.#running === running) this.#child?.kill("SIGKILL");
    }, GRACE_MS);
  }

  /** Lets what is asked for come to its end. */
  async close(): Promise<void> {
    process.off("exit", this.#endWithUs);
    while (this.#running !== undefined) await this.#running.answered.promise.catch(() => undefined);
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.ref();
    child.disconnect();
    await ended;
  }

  #start(): void {
    const child = fork(programFile(), [], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      execArgv: [],
      env: environment(),
    });
    this.#child = child;
    child.on("message", (answer: SqliteAnswer) => this.#answered(answer));
    child.once("error", () => this.#ended(child));
    child.once("exit", () => this.#ended(child));
    const job: Job = { request: this.#opening, asker: undefined, answered: Promise.withResolvers<SqliteAnswer>() };
    this.#first = job.answered.promise;
    // Whoever asks next is told by its own answer.
    this.#first.catch(() => undefined);
    this.#run(job, child);
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const job = this.#waiting.shift();
    if (job === undefined) return this.#rest();
    // What it has open is gone with the process it was open in.
    if (job.asker?.life !== undefined && job.asker.life !== this.life) {
      job.answered.reject(gone());
      return this.#next();
    }
    if (this.#child === undefined) {
      this.#waiting.unshift(job);
      return this.#start();
    }
    this.#run(job, this.#child);
  }

  #run(job: Job, child: ChildProcess): void {
    this.#running = job;
    child.ref();
    child.channel?.ref();
    child.send(job.request, (error) => {
      if (error !== null) child.kill("SIGKILL");
    });
  }

  /** An idle process does not keep this one from ending. */
  #rest(): void {
    this.#child?.unref();
    this.#child?.channel?.unref();
  }

  #answered(answer: SqliteAnswer): void {
    const job = this.#running;
    this.#finish();
    if (answer.kind === "failed") {
      const { code, message, data } = answer;
      job?.answered.reject(new StarlaneError(code, message, data === undefined ? {} : { data }));
    } else job?.answered.resolve(answer);
    this.#next();
  }

  #ended(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.life++;
    const job = this.#running;
    this.#finish();
    job?.answered.reject(gone());
    this.#next();
  }

  #finish(): void {
    clearTimeout(this.#grace);
    this.#grace = undefined;
    this.#running = undefined;
  }
}

function gone(): StarlaneError {
  return unavailable(RESOURCE, new Error("the process that runs its statements was ended"));
}

/** What a process needs to start, and no secret. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: cache, SystemRoot: root } = process.env;
  return { ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }), ...(root === undefined ? {} : { SystemRoot: root }) };
}

/** Beside this file: as a source, in the library; from the command, which is bundled. */
const PLACES = ["./sqlite-process.ts", "./sqlite-process.js", "../capabilities/sql/sqlite-process.js"];

function programFile(): string {
  const file = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));
  if (file === undefined) throw new StarlaneError("starlane/internal", "the program that runs SQL statements is missing");
  return file;
}
