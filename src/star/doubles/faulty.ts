// Stores with faults: the same objects, with latency and errors put before their methods; also before those of the sessions, files and
// folders that they give.

import { FileError, type Filesystem, type OpenDirectory } from "../../capabilities/filesystem/filesystem.ts";
import { type Fault, type FaultPlan, withFaults } from "../../capabilities/resources/faults.ts";
import { type SqlDatabase, sqlError } from "../../capabilities/sql/sql.ts";

type Sleep = (ms: number) => Promise<void>;

/** The store itself where it has no faults. */
export function faultyStore<T extends object>(store: T, plan: FaultPlan | undefined, sleep: Sleep): T {
  return plan === undefined ? store : withFaults(store, plan, sleep);
}

export function faultyDatabase(database: SqlDatabase, plan: FaultPlan | undefined, sleep: Sleep): SqlDatabase {
  if (plan === undefined) return database;
  const ofSession: FaultPlan = (method, before) => {
    const fault: Fault | undefined = method === "end" ? undefined : plan(method, before);
    // The one error of databases that has a text.
    return fault?.error instanceof Error ? { ...fault, error: sqlError("statement", fault.error.message) } : fault;
  };
  return {
    session: (signal) => withFaults(database.session(signal), ofSession, sleep),
    close: () => database.close(),
  };
}

/** Every error is `io`: files have no other that says nothing. */
export function faultyFilesystem(filesystem: Filesystem, plan: FaultPlan | undefined, sleep: Sleep): Filesystem {
  if (plan === undefined) return filesystem;
  const ofFiles: FaultPlan = (method, before) => {
    const fault: Fault | undefined = method === "reopen" ? undefined : plan(method, before);
    return fault?.error === undefined ? fault : { ...fault, error: new FileError("io") };
  };
  return { waits: true, root: faultyNode(filesystem.root, ofFiles, sleep) };
}

const originals = new WeakMap<object, object>();

function faultyNode(node: OpenDirectory, plan: FaultPlan, sleep: Sleep): OpenDirectory {
  return wrapped(node, plan, sleep);
}

/** What a folder opens has the same faults; a folder that is handed back is the one below. */
function wrapped<T extends object>(node: T, plan: FaultPlan, sleep: Sleep): T {
  const faulty = withFaults(node, plan, sleep);
  const proxy = new Proxy(faulty, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        const given = args.map((arg) => (typeof arg === "object" && arg !== null ? (originals.get(arg) ?? arg) : arg));
        const answer: unknown = Reflect.apply(value, undefined, given);
        const wrap = (result: unknown): unknown => (isNode(result) ? wrapped(result, plan, sleep) : result);
        return answer instanceof Promise ? answer.then(wrap) : wrap(answer);
      };
    },
  });
  originals.set(proxy, node);
  return proxy;
}

function isNode(value: unknown): value is object {
  return typeof value === "object" && value !== null && "kind" in value && (value.kind === "file" || value.kind === "directory");
}
