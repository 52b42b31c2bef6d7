// An app as a WIT world: each of its operations is an exported function, because an app is a component.

import type { Signature } from "../flow/flow.ts";
import type { FuncType, WorldType } from "../wit/types.ts";
import type { App } from "./app.ts";

export function worldOf(app: App): WorldType {
  return { imports: [], exports: [...app.operations.values()].map(({ name, signature }) => ({ name, type: funcOf(signature) })) };
}

function funcOf({ params, result, error, async }: Signature): FuncType {
  const whole = error === undefined ? result : ({ kind: "result", ok: result, error } as const);
  return { kind: "func", async, params: params.map(({ name, type }) => ({ name, type })), result: whole };
}
