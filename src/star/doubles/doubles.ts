// What one test has in place of the outside: stores in memory with what the test gave them, scripted HTTP, a clock that only sleeping
// moves, and the faults that the test asks for. Made for one test, used up by it.

import { type VirtualClock, virtualClock } from "../../base/clock.ts";
import { StarlaneError } from "../../base/errors.ts";
import type { HttpClient } from "../../capabilities/http/http-client.ts";
import type { Network } from "../../capabilities/sockets/network.ts";
import type { Given } from "../../manifest/given.ts";
import type { Opened } from "../resources.ts";
import type { StorageDoubles } from "../storage.ts";
import { heldDatabase } from "./held-database.ts";
import { faultyDatabase, faultyFilesystem, faultyStore } from "./faulty.ts";
import { FaultSchedule } from "./fault-schedule.ts";
import { fillBlobs, fillFiles, fillKeyValue, fillSql } from "./fill.ts";
import { refusingNetwork } from "./refusing-network.ts";
import { ScriptedHttp } from "./scripted-http.ts";

const NOTHING: Given = {
  http: [],
  keyvalue: [],
  blobs: [],
  sql: [],
  files: [],
  faults: [],
  span: { source: { file: "", text: "" }, start: 0, end: 0 },
};

export class Doubles implements StorageDoubles {
  readonly clock: VirtualClock;
  readonly http: ScriptedHttp & HttpClient;
  readonly network: Network = refusingNetwork;
  readonly #given: Given;
  readonly #faults: FaultSchedule;
  /** Objects that have their contents, by what was given to them. */
  readonly #filled = new Map<object, Set<object>>();
  readonly #used = new Set<object>();

  constructor(given: Given = NOTHING, timestampMs: number) {
    this.#given = given;
    this.clock = virtualClock(timestampMs);
    this.#faults = new FaultSchedule(given.faults, this.clock);
    this.http = new ScriptedHttp(given.http, this.#faults);
  }

  /** A store under the name that a component knows it by: with its contents, and its faults. */
  async keyvalue(name: string, store: Opened["keyvalue"]): Promise<Opened["keyvalue"]> {
    for (const given of this.#given.keyvalue)
      if (given.name === name) await this.#fill(store, given, () => fillKeyValue(store, given));
    return faultyStore(store, this.#faults.planOf("keyvalue"), this.#sleep);
  }

  async blobs(name: string, store: Opened["blobs"]): Promise<Opened["blobs"]> {
    for (const given of this.#given.blobs) if (given.name === name) await this.#fill(store, given, () => fillBlobs(store, given));
    return faultyStore(store, this.#faults.planOf("blobs"), this.#sleep);
  }

  messaging(_name: string, broker: Opened["messaging"]): Promise<Opened["messaging"]> {
    return Promise.resolve(faultyStore(broker, this.#faults.planOf("messaging"), this.#sleep));
  }

  /** @throws StarlaneError `resource/…` of a statement that fails */
  async sql(name: string, database: Opened["sql"]): Promise<Opened["sql"]> {
    for (const given of this.#given.sql) {
      if (given.name === undefined || given.name === name) await this.#fill(database, given, () => fillSql(database, given));
    }
    return faultyDatabase(heldDatabase(database, this.clock), this.#faults.planOf("sql"), this.#sleep);
  }

  /** `mount`: the path under which the component sees it. */
  async files(mount: string, filesystem: Opened["files"]): Promise<Opened["files"]> {
    for (const given of this.#given.files) {
      const path = pathBelow(mount, given.path);
      if (path !== undefined) await this.#fill(filesystem, given, () => fillFiles(filesystem, path, given));
    }
    return faultyFilesystem(filesystem, this.#faults.planOf("files"), this.#sleep);
  }

  /** A call of another component. */
  call<T>(work: () => T): T | Promise<T> {
    const fault = this.#faults.next("calls");
    if (fault === undefined) return work();
    return this.#faults.meet(fault, work, (text) => new StarlaneError("resource/unavailable", text));
  }

  get hasCallFaults(): boolean {
    return this.#faults.has("calls");
  }

  /** What was given to nobody, as lines for people. */
  unused(): string[] {
    const { keyvalue, blobs, sql, files } = this.#given;
    const lines = (given: readonly object[], text: (index: number) => string): string[] =>
      given.flatMap((one, i) => (this.#used.has(one) ? [] : [text(i)]));
    return [
      ...lines(keyvalue, (i) => `no component is granted the bucket \`${keyvalue[i]?.name ?? ""}\` of \`given.keyvalue\``),
      ...lines(blobs, (i) => `no component is granted the container \`${blobs[i]?.name ?? ""}\` of \`given.blobs\``),
      ...lines(
        sql,
        (i) =>
          `no component is granted ${sql[i]?.name === undefined ? "a database" : `the database \`${sql[i].name}\``} of \`given.sql\``,
      ),
      ...lines(files, (i) => `no component is granted a folder with \`${files[i]?.path ?? ""}\` of \`given.files\``),
    ];
  }

  readonly #sleep = (ms: number): Promise<void> => this.clock.sleep(ms);

  async #fill(object: object, given: object, fill: () => Promise<void>): Promise<void> {
    this.#used.add(given);
    const filled = this.#filled.get(object) ?? new Set();
    this.#filled.set(object, filled);
    if (filled.has(given)) return;
    filled.add(given);
    await fill();
  }
}

/** `a/b.txt` for `/data/a/b.txt` below `/data`; undefined where it is not below. */
function pathBelow(mount: string, path: string): string | undefined {
  const start = mount.endsWith("/") ? mount : `${mount}/`;
  return path.startsWith(start) ? path.slice(start.length) : undefined;
}
