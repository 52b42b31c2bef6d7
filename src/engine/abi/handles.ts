// Handles: `own` and `borrow`. For the host a handle is an object of the resource's class; on the way to another guest it is the
// bare representation. Source: Canonical ABI, `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.

import type { ValType } from "../../wit/types.ts";
import { StarlaneError } from "../../base/errors.ts";
import { futureFromHost, futureToHost, HostStream, streamFromHost } from "../async/host-streams.ts";
import { CopyEnd, type FutureChannel, sameElement, StreamChannel } from "../async/streams.ts";
import { ErrorContext } from "../async/waitable.ts";
import { badValue } from "../bad-value.ts";
import { trap } from "../trap.ts";
import { type BorrowScope, ResourceHandle, type RuntimeResource } from "../instance.ts";
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
    case "stream":
    case "future":
      return host ? copyEndForHost(type) : copyEndForGuest(type);
    case "error-context":
      return {
        lift(cx, index) {
          const entry = cx.instance.handles.entry(index);
          return entry instanceof ErrorContext ? entry : trap("unknown handle index: not an error context");
        },
        lower: (cx, value) =>
          cx.instance.handles.add(value instanceof ErrorContext ? value : badValue("an error context", value)),
      };
    default:
      throw new StarlaneError("starlane/internal", `no handle: ${type.kind}`);
  }
}

function ownForGuest(resource: RuntimeResource): Conversions {
  return {
    lift: (cx, index) => cx.instance.handles.removeResource(index, resource, true).rep,
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
      const handle = cx.instance.handles.resource(index, resource);
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

type CopyType = Extract<ValType, { kind: "stream" | "future" }>;

/** Canonical ABI, `lift_async_value`: the readable end leaves the table of its instance. */
function copyEndForGuest(type: CopyType): Conversions {
  return {
    lift(cx, index) {
      const end = cx.instance.handles.entry(index);
      if (!(end instanceof CopyEnd) || end.side !== "readable" || end.isFuture !== (type.kind === "future")) {
        trap(`handle index ${index} used with the wrong type`);
      }
      if (!sameElement(end.channel.element, type.element)) trap(`handle index ${index} used with the wrong type`);
      if (end.state === "done") trap(`cannot lift ${type.kind} after previous read succeeded`);
      if (end.state !== "idle") trap(`cannot remove busy ${type.kind}`);
      if (end.set !== undefined) trap(`cannot lift ${type.kind} while it is in a waitable set`);
      cx.instance.handles.remove(index);
      return end.channel;
    },
    lower: (cx, channel) =>
      cx.instance.handles.add(new CopyEnd(cx.instance.store, channel as StreamChannel | FutureChannel, "readable")),
  };
}

function copyEndForHost(type: CopyType): Conversions {
  const guest = copyEndForGuest(type);
  return {
    lift(cx, index) {
      const channel = guest.lift(cx, index);
      const { store } = cx.instance;
      return channel instanceof StreamChannel ? new HostStream(store, channel) : futureToHost(store, channel as FutureChannel);
    },
    lower(cx, value) {
      const { store } = cx.instance;
      const from = type.kind === "stream" ? streamFromHost : futureFromHost;
      return guest.lower(cx, from(store, type.element, value));
    },
  };
}

function scopeOf(cx: AbiContext): BorrowScope {
  if (cx.scope === undefined) throw new StarlaneError("starlane/internal", "a borrow outside a call");
  return cx.scope;
}
