// The canonical built-ins that a component imports besides functions: handles of resources, context slots, back-pressure.
// Source: Canonical ABI, Canonical Definitions.

import type { Canon } from "../component/component.ts";
import { type ComponentInstance, notSupportedYet, ResourceHandle, type RuntimeResource } from "./instance.ts";
import type { CoreFunction } from "./lift.ts";
import { guard } from "./lower.ts";
import { trap } from "./trap.ts";

type Builtin = Exclude<Canon, { kind: "lift" | "lower" }>;

export function canonBuiltin(
  canon: Builtin,
  instance: ComponentInstance,
  resourceAt: (index: number) => RuntimeResource,
): CoreFunction {
  switch (canon.kind) {
    case "resource.new":
      return resourceNew(instance, resourceAt(canon.type));
    case "resource.rep":
      return resourceRep(instance, resourceAt(canon.type));
    case "resource.drop":
      return resourceDrop(instance, resourceAt(canon.type));
    case "context.get":
      instance.usesContext = true;
      return () => instance.context[canon.index === 0 ? 0 : 1];
    case "context.set":
      instance.usesContext = true;
      return (value) => {
        instance.context[canon.index === 0 ? 0 : 1] = value as number | bigint;
      };
    case "backpressure.inc":
      return guard(() => {
        if (++instance.backpressure === 2 ** 16) trap("backpressure counter overflow");
      });
    case "backpressure.dec":
      return guard(() => {
        if (--instance.backpressure < 0) trap("backpressure counter underflow");
      });
    default:
      return guard(() => {
        if (!instance.mayLeave) trap("cannot leave component instance");
        throw notSupportedYet(`the built-in ${canon.kind}`);
      });
  }
}

function resourceNew(instance: ComponentInstance, resource: RuntimeResource): CoreFunction {
  return guard(([rep]) => {
    if (!instance.mayLeave) trap("cannot leave component instance");
    return instance.handles.add(new ResourceHandle(resource, rep, true, undefined));
  });
}

function resourceRep(instance: ComponentInstance, resource: RuntimeResource): CoreFunction {
  return guard(([index]) => instance.handles.resource((index as number) >>> 0, resource).rep);
}

function resourceDrop(instance: ComponentInstance, resource: RuntimeResource): CoreFunction {
  return guard(([index]) => {
    if (!instance.mayLeave) trap("cannot leave component instance");
    const handle = instance.handles.removeResource((index as number) >>> 0, resource, false);
    if (!handle.own) {
      if (handle.scope !== undefined) handle.scope.borrows--;
    } else if (resource.dtorFrom === undefined) resource.dtor?.(handle.rep);
    else resource.dtorFrom(instance, handle.rep);
  });
}
