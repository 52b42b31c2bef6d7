// Fills the references in resources, grants and triggers: all of them texts that stay texts.

import { fillAddress } from "./fill-address.ts";
import type { Filling } from "./filling.ts";
import type { ComponentGrants, Grants, GrantText, ResourceDeclaration } from "./manifest.ts";
import type { Route, Trigger } from "./triggers.ts";

export function fillResource(resource: ResourceDeclaration, filling: Filling): ResourceDeclaration {
  return { ...resource, address: fillAddress(resource.address, filling) };
}

export function fillGrants(component: ComponentGrants, filling: Filling): ComponentGrants {
  const { grants } = component;
  const filled: Grants = {
    ...grants,
    cli:
      grants.cli === undefined ? undefined : { args: fillTexts(grants.cli.args, filling), env: fillEnv(grants.cli.env, filling) },
    sockets:
      grants.sockets === undefined
        ? undefined
        : { connect: fillTexts(grants.sockets.connect, filling), listen: fillTexts(grants.sockets.listen, filling) },
    http: grants.http === undefined ? undefined : fillTexts(grants.http, filling),
    config: grants.config?.map((setting) => ({
      ...setting,
      value: typeof setting.value === "string" ? filling.text(setting.value) : setting.value,
    })),
  };
  return { ...component, grants: filled };
}

function fillTexts(texts: readonly GrantText[], filling: Filling): readonly GrantText[] {
  return texts.map((item) => ({ ...item, text: filling.text(item.text) }));
}

function fillEnv(env: NonNullable<Grants["cli"]>["env"], filling: Filling): NonNullable<Grants["cli"]>["env"] {
  return env.map((item) => (item.value === undefined ? item : { ...item, value: filling.text(item.value) }));
}

export function fillTrigger(trigger: Trigger, filling: Filling): Trigger {
  if (trigger.kind !== "http") return trigger;
  const { tls } = trigger;
  return {
    ...trigger,
    tls: tls === undefined ? undefined : { ...tls, cert: filling.text(tls.cert), key: filling.text(tls.key) },
    routes: trigger.routes.map((route): Route =>
      route.kind === "proxy" ? { ...route, to: fillAddress(route.to, filling) } : route,
    ),
  };
}
