// A database of a test: its statements run in another process, in real time, and meanwhile the test's own clock stands still.

import type { VirtualClock } from "../../base/clock.ts";
import type { SqlDatabase } from "../../capabilities/sql/sql.ts";

export function heldDatabase(database: SqlDatabase, clock: VirtualClock): SqlDatabase {
  return { session: (signal) => held(database.session(signal), clock), close: () => database.close() };
}

/** The same object, whose answers are waited for with the clock held; those that are objects with methods too. */
function held<T extends object>(object: T, clock: VirtualClock): T {
  return new Proxy(object, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(value, target, args);
        return answer instanceof Promise
          ? clock.hold(answer.then((result: unknown) => wrapped(result, clock)))
          : wrapped(answer, clock);
      };
    },
  });
}

function wrapped(result: unknown, clock: VirtualClock): unknown {
  const isOpen = typeof result === "object" && result !== null && ("next" in result || "commit" in result);
  return isOpen ? held(result, clock) : result;
}
