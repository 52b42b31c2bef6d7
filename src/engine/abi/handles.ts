// Handles: `own` and `borrow`. For the host a handle is an object of the resource's class; on the way to another guest it is the
// bare representation. Source: Canonical ABI, `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.

import type { ValType } from "../../wit/types.ts";
import { StarlaneError } from "../../base/errors.ts";
import { type BorrowScope, notSupportedYet, ResourceHandle, type RuntimeResource } from "../instance.ts";
import { fromHost, toHost } from "../resources.ts";
import type { Codec, CodecMaker } from "./codec.ts";
import type { AbiContext } from "./context.ts";
import { layoutOf } from "./layout.ts";

export function handleCodec(type: ValType, maker: CodecMaker): Codec {
  const { lift, lower } = conversions(type, maker.domain === "host");
  return {
    ...layoutOf(type, maker.pointer),
    load: (cx, at) => lift(cx, cx.memory.view.getUint32(at, true)),
    store: (cx, at, value) => {
      const index = lower(cx, value);
      cx.memory.view.setUint32(at, index, true);
    },
    liftFlat: (cx, flat, index) => lift(cx, (flat[index] as number) >>> 0),
    lowerFlat: (cx, value, flat, index) => {
      flat[index] = lower(cx, value);
    },
  };
}

interface Conversions {
  lift(cx: AbiContext, index: number): unknown;
  lower(cx: AbiContext, value: unknown): number;
}

function conversions(type: ValType, host: boolean): Conversions {
  switch (type.kind) {
    case "own": {
      const resource = type.resource as RuntimeResource;
      return host ? ownForHost(resource) : ownForGuest(resource);
    }
    case "borrow": {
      const resource = type.resource as RuntimeResource;
      return host ? borrowForHost(resource) : borrowForGuest(resource);
    }
    default: {
      const refuse = (): never => {
        throw notSupportedYet(`a value of type ${type.kind}`);
      };
      return { lift: refuse, lower: refuse };
    }
  }
}

function ownForGuest(resource: RuntimeResource): Conversions {
  return {
    lift: (cx, index) => cx.instance.handles.remove(index, resource, true).rep,
    lower: (cx, rep) => cx.instance.handles.add(new ResourceHandle(resource, rep, true, undefined)),
  };
}

function ownForHost(resource: RuntimeResource): Conversions {
  const guest = ownForGuest(resource);
  return {
    lift: (cx, index) => toHost(resource, guest.lift(cx, index), undefined),
    lower: (cx, value) => guest.lower(cx, fromHost(resource, value, "take")),
  };
}

function borrowForGuest(resource: RuntimeResource): Conversions {
  return {
    lift(cx, index) {
      const handle = cx.instance.handles.get(index, resource);
      scopeOf(cx).lend(handle);
      return handle.rep;
    },
    lower(cx, rep) {
      if (cx.instance === resource.impl) return rep as number;
      const scope = scopeOf(cx);
      scope.borrows++;
      return cx.instance.handles.add(new ResourceHandle(resource, rep, false, scope));
    },
  };
}

function borrowForHost(resource: RuntimeResource): Conversions {
  const guest = borrowForGuest(resource);
  return {
    lift: (cx, index) => toHost(resource, guest.lift(cx, index), scopeOf(cx)),
    lower: (cx, value) => guest.lower(cx, fromHost(resource, value, "lend")),
  };
}

function scopeOf(cx: AbiContext): BorrowScope {
  if (cx.scope === undefined) throw new StarlaneError("starlane/internal", "a borrow outside a call");
  return cx.scope;
}
