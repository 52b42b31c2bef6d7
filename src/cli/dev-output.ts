// What `starlane dev` says on the terminal: what is served and where, what changed and what came of it, mistakes with their lines, and what
// transactions did.

import type { LogRecord } from "../base/log.ts";
import type { TransactionView } from "../api/contract.ts";
import { addressUrl } from "../api/state.ts";
import type { BuildEvent } from "../star/build/build.ts";
import type { Development, Standing } from "../star/dev/development.ts";
import type { Problem } from "../star/dev/problems.ts";
import { shown } from "../star/files.ts";
import type { Service } from "../star/service.ts";
import type { HttpLogEntry } from "../triggers/http/http.ts";
import { textLine } from "./log.ts";
import { type Paint, paintFor, printable } from "./terminal.ts";

const MOST_SHOWN = 20;
const MOST_NAMED = 3;

export class DevOutput {
  readonly #paint: Paint = paintFor(process.stderr);
  #hasStarted = false;
  #told: Standing | undefined;
  /** When the change that is being worked on was seen. */
  #changedAt = performance.now();
  #addresses = "";

  /** What is served and where, when everything has begun. */
  started({ standing, service }: Development, dashboard: string): void {
    this.#hasStarted = true;
    const paint = this.#paint;
    const names = standing.targets.map(({ name }) => printable(name)).join(", ");
    const lines = [names === "" ? paint("bold", "starlane dev") : `${paint("bold", "starlane dev")}  ${names}`];
    for (const url of urlsOf(service)) lines.push(`  app        ${paint("cyan", url)}`);
    lines.push(`  dashboard  ${paint("cyan", dashboard)}`);
    if (service.schedules > 0) lines.push(`  schedules  ${service.schedules}`);
    lines.push(paint("dim", "waiting for changes; Ctrl-C ends"));
    this.#write(`\n${lines.join("\n")}\n\n`);
    this.#addresses = urlsOf(service).join();
  }

  remark(message: string): void {
    this.#line(this.#paint("dim", printable(message)));
  }

  changed(paths: readonly string[]): void {
    this.#changedAt = performance.now();
    const names = paths.slice(0, MOST_NAMED).map((path) => shown(path));
    const more = paths.length > MOST_NAMED ? ` and ${paths.length - MOST_NAMED} more` : "";
    this.#line(`${printable(names.join(", "))}${more} changed`);
  }

  standing(standing: Standing, service: Service): void {
    const before = this.#told;
    this.#told = standing;
    const { status, version, problems } = standing;
    if (status === "ready") {
      const isNew = before?.version !== version;
      if (isNew) this.#problems(problems);
      if (isNew && this.#hasStarted) this.#served(version, service);
      else if (!isNew && before?.status === "building") this.#line(this.#paint("dim", "nothing is different"));
    }
    if (status !== "broken") return;
    this.#problems(problems);
    const count = problems.filter(({ severity }) => severity === "error").length;
    const errors = `${count} ${count === 1 ? "error" : "errors"}`;
    const goesOn = version === 0 ? "nothing is served yet" : `version ${version} goes on`;
    this.#line(`${this.#paint("red", errors)}; ${goesOn}`);
  }

  #served(version: number, service: Service): void {
    const ms = Math.round(performance.now() - this.#changedAt);
    this.#line(`${this.#paint("green", `version ${version}`)} is served ${this.#paint("dim", `(${ms} ms)`)}`);
    const addresses = urlsOf(service);
    if (addresses.join() !== this.#addresses) for (const url of addresses) this.#line(`app ${this.#paint("cyan", url)}`);
    this.#addresses = addresses.join();
  }

  build(event: BuildEvent): void {
    const { component } = event.kind === "ended" ? event.outcome.plan : event.plan;
    const name = this.#paint("bold", printable(component));
    if (event.kind === "started") return this.#line(`building ${name}`);
    // What a tool prints is shown where it fails.
    if (event.kind === "printed") return;
    const { outcome } = event;
    if (outcome.kind === "built") this.#line(`built ${name} ${this.#paint("dim", `(${Math.round(outcome.tookMs)} ms)`)}`);
  }

  transaction({ operation, trigger, durationMs, outcome, error }: TransactionView): void {
    const paint = this.#paint;
    const took = paint("dim", `${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms`);
    const what = `${printable(trigger)} ${paint("dim", "->")} ${printable(operation)}`;
    if (outcome === "ok") return this.#line(`${what}  ${took}`);
    const why = error === undefined ? "" : `: ${printable(error.message.slice(0, 500))} ${paint("dim", `[${error.code}]`)}`;
    this.#line(`${what}  ${took}  ${paint("red", "failed")}${why}`);
  }

  /** Of a failed transaction its own line tells. */
  http({ level, message, route, transaction, error }: HttpLogEntry): void {
    if (level === "info" || transaction !== undefined) return;
    this.log({ level, message, route, error });
  }

  log(record: LogRecord): void {
    // Ids are for those who look for something in many lines.
    this.#write(`${textLine({ ...record, transaction: undefined, request: undefined, traceId: undefined }, this.#paint)}\n`);
  }

  #problems(problems: readonly Problem[]): void {
    if (problems.length === 0) return;
    const blocks = problems.slice(0, MOST_SHOWN).map((problem) => problemText(problem, this.#paint));
    if (problems.length > MOST_SHOWN) blocks.push(`… and ${problems.length - MOST_SHOWN} more`);
    this.#write(`\n${blocks.join("\n\n")}\n\n`);
  }

  #line(text: string): void {
    const time = new Date().toTimeString().slice(0, 8);
    this.#write(`${this.#paint("dim", time)} ${text}\n`);
  }

  #write(text: string): void {
    process.stderr.write(text);
  }
}

function urlsOf({ addresses }: Service): readonly string[] {
  return addresses.map(addressUrl);
}

function problemText({ severity, code, message, at, frame, cure }: Problem, paint: Paint): string {
  const style = severity === "error" ? "red" : "yellow";
  const lines = [`${paint(style, `${severity}[${code}]`)}${paint("bold", `: ${printable(message)}`)}`];
  const gutter = /^ *(?=\|)/.exec(frame ?? "")?.[0].slice(0, -1) ?? " ";
  if (at !== undefined) lines.push(paint("cyan", `${gutter}--> ${printable(at)}`));
  for (const line of frame?.split("\n") ?? []) {
    const isCaret = /^\s*\| *\^+$/.test(line);
    lines.push(isCaret ? line.replace(/\^+/, (carets) => paint(style, carets)) : printable(line));
  }
  if (cure !== undefined) lines.push(paint("cyan", `${gutter} = ${printable(cure)}`));
  return lines.join("\n");
}
