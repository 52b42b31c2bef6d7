// What an instance is given when its transaction is replayed: every function it imports answers from the record. Nothing is opened. Calls
// of other components are made: those answer from their own records.

import type { Binding, CapabilityTransaction, ConfiguredCapability } from "../../capabilities/capability.ts";
import type { ComponentFunction, InstanceImports } from "../../engine/engine.ts";
import { mayWait } from "../../engine/may-wait.ts";
import type { FuncType, NamedExtern } from "../../wit/types.ts";
import type { GuestTransaction } from "../calls.ts";
import { CallReplay } from "./call-replay.ts";
import type { TransactionRecord } from "./record.ts";
import { Replay } from "./replay.ts";

/** `component`: its name, `shop/cart` for one of an app inside. */
export function replayedInstances(
  component: string,
  record: TransactionRecord,
  imports: readonly NamedExtern[],
  calls: ConfiguredCapability | undefined,
): () => InstanceImports<CapabilityTransaction> {
  const waiting = waitingNames(component, record);
  return () => {
    const called = calls?.();
    const current: Current = { replay: initialization(component, record) };
    const initial = current.replay;
    return {
      imports: { ...stubs(imports, called, current, waiting), ...called?.imports },
      prepare(transaction) {
        const { host, path = "", count } = transaction as GuestTransaction;
        if (!(host.replay instanceof Replay)) throw new TypeError("no replay");
        current.replay = CallReplay.after(initial, host.replay.begin(component, path, count));
        current.replay.output = transaction.output;
        called?.prepare?.(transaction);
      },
      finish(outcome) {
        current.replay.finish(outcome);
        return called?.finish?.(outcome);
      },
    };
  };
}

interface Current {
  replay: CallReplay;
}

/** Its differences do not count: what initialization asks for, it does not answer for. */
function initialization(component: string, record: TransactionRecord): CallReplay {
  const events = record.initial[component] ?? [];
  return new CallReplay(new Replay({ ...record, calls: [], sleeps: [] }), { node: "", count: 0, component, events });
}

function stubs(
  imports: readonly NamedExtern[],
  called: Binding | undefined,
  current: Current,
  waiting: ReadonlySet<string>,
): Record<string, unknown> {
  const stub = (name: string, type: FuncType): ComponentFunction => {
    const call: ComponentFunction = (...args) => current.replay.call(name, type, args);
    return waiting.has(name) ? mayWait(call) : call;
  };
  const own = imports.filter(({ name }) => called === undefined || !Object.hasOwn(called.imports, name));
  return Object.fromEntries(
    own.flatMap(({ name, type }): [string, unknown][] => {
      if (type.kind === "func") return [[name, stub(name, type)]];
      if (type.kind !== "instance") return [];
      const functions = type.exports.flatMap((member) =>
        member.type.kind === "func" ? [[member.name, stub(`${name}#${member.name}`, member.type)] as const] : [],
      );
      return [[name, Object.fromEntries(functions)]];
    }),
  );
}

/** Functions that answered later: guests that call them have to be suspended. */
function waitingNames(component: string, record: TransactionRecord): ReadonlySet<string> {
  const calls = record.calls.filter((call) => call.component === component);
  return new Set(calls.flatMap(({ events }) => events.flatMap((event) => ("later" in event ? [event.call] : []))));
}
