// What the instances of one component are given: what needs no grant, and over that exactly what the manifest grants.

import type { Binding, CapabilityTransaction, ConfiguredCapability } from "../capabilities/capability.ts";
import type { CliGrant } from "../capabilities/cli/granted.ts";
import { linkInert } from "../capabilities/inert.ts";
import type { InstanceImports } from "../engine/engine.ts";
import type { BoundResource, Grants } from "../manifest/manifest.ts";
import type { Doubles } from "./doubles/doubles.ts";
import { HeldOutput } from "./held-output.ts";
import { inertInstance } from "./inert-instance.ts";
import type { Opened, Resources } from "./resources.ts";
import { STORAGE, STORAGE_KINDS, type StorageDoubles, type StorageKind } from "./storage.ts";

export interface GrantContext {
  readonly resources: Resources;
  /** Of whoever starts the app. */
  readonly environment: (name: string) => string | undefined;
  /** What other components of the app answer. */
  readonly calls: ConfiguredCapability | undefined;
  /** The component is run as a command: it gets arguments and standard streams, whatever else is granted. */
  readonly command?: CommandStart | undefined;
  /** What stands for the outside in a test. */
  readonly doubles?: Doubles | undefined;
  /** The component's name in records, where transactions may be recorded. */
  readonly recordedAs?: string | undefined;
  /** It is middleware: it can reach what it stands in front of. */
  readonly passesOn?: boolean | undefined;
}

export type CommandStreams = Pick<CliGrant, "stdin" | "stdout" | "stderr">;

export interface CommandStart {
  /** The first argument. */
  readonly program: string;
  readonly args: readonly string[];
  readonly streams: CommandStreams;
}

/**
 * Opens what the grants are bound to.
 * @throws StarlaneError `grant/…`, `resource/…` (rejects)
 */
export async function grantedInstances(
  grants: Grants,
  context: GrantContext,
): Promise<() => InstanceImports<CapabilityTransaction>> {
  const granted = await configure(grants, context);
  if (context.passesOn === true) granted.push((await import("./next-handler.ts")).nextHandler);
  if (context.calls !== undefined) granted.push(context.calls);
  if (granted.length === 0) return inertInstance;
  if (context.recordedAs === undefined) return () => link(granted);
  const { recordedInstances } = await import("./record/recorded-instance.ts");
  return recordedInstances(context.recordedAs, () => link(granted), context.calls);
}

/** One instance: a granted interface stands in place of the inert one. */
function link(granted: readonly ConfiguredCapability[]): InstanceImports<CapabilityTransaction> {
  const inert = linkInert();
  const bindings: readonly Binding[] = granted.map((bind) => bind());
  const imports: Record<string, unknown> = { ...inert.imports };
  for (const binding of bindings) Object.assign(imports, binding.imports);
  const finishing = bindings.filter(({ finish }) => finish !== undefined);
  const output = new HeldOutput();
  const canRestart = bindings.every(({ prepare, restart }) => prepare === undefined || restart !== undefined);
  return {
    imports,
    prepare(transaction) {
      const held = canRestart ? output.of(transaction) : transaction;
      inert.prepare(held);
      for (const binding of bindings) binding.prepare?.(held);
    },
    restart: canRestart
      ? () => {
          output.drop();
          for (const binding of bindings) binding.restart?.();
        }
      : undefined,
    finish(outcome) {
      output.flush();
      let waits: Promise<void>[] | undefined;
      for (const binding of finishing) {
        const wait = binding.finish?.(outcome);
        if (wait instanceof Promise) (waits ??= []).push(wait);
      }
      return waits === undefined ? undefined : Promise.all(waits).then(() => undefined);
    },
  };
}

async function configure(
  grants: Grants,
  { resources, environment, command, doubles }: GrantContext,
): Promise<ConfiguredCapability[]> {
  const granted: ConfiguredCapability[] = [];
  const { cli, clock, random, files, sockets, http, config } = grants;
  if (cli !== undefined || command !== undefined) {
    const { grantedCli } = await import("../capabilities/cli/granted.ts");
    const env = (cli?.env ?? []).flatMap(({ name, value }) => {
      const known = value ?? environment(name);
      return known === undefined ? [] : [[name, known] as const];
    });
    const own = cli?.args.map(({ text }) => text) ?? [];
    const args = command === undefined ? own : [command.program, ...own, ...command.args];
    granted.push(grantedCli.configure({ args, env: Object.fromEntries(env), ...command?.streams }));
  }
  const waits = clock === "real" || http !== undefined || sockets !== undefined;
  if (doubles !== undefined && waits) granted.push((await import("./doubles/test-clocks.ts")).testClocks(doubles.clock));
  else if (clock === "real") granted.push((await import("../capabilities/clocks/real.ts")).realClocks.configure("real"));
  // What waits for the network waits in real time: a virtual clock would jump over it.
  else if (waits) {
    granted.push((await import("../capabilities/clocks/paced.ts")).pacedClocks.configure(undefined));
  }
  // Tests give the same numbers every time.
  if (random === "system" && doubles === undefined)
    granted.push((await import("../capabilities/random/system.ts")).systemRandom.configure("system"));
  if (files !== undefined) {
    const folderFor = async (path: string, resource: string): Promise<Opened["files"]> => {
      const folder = await resources.open("files", resource);
      return doubles === undefined ? folder : await doubles.files(path, folder);
    };
    const { grantedFiles } = await import("../capabilities/filesystem/granted.ts");
    const opened = files.map(
      async ({ path, resource, readonly }) => [path, { backend: await folderFor(path, resource), readonly }] as const,
    );
    granted.push(grantedFiles.configure(Object.fromEntries(await Promise.all(opened))));
  }
  if (sockets !== undefined) {
    const { grantedSockets } = await import("../capabilities/sockets/granted.ts");
    const { nodeNetwork } = await import("../capabilities/sockets/node-network.ts");
    const texts = (list: readonly { readonly text: string }[]): string[] => list.map(({ text }) => text);
    granted.push(
      grantedSockets(doubles?.network ?? nodeNetwork).configure({
        connect: texts(sockets.connect),
        listen: texts(sockets.listen),
      }),
    );
  }
  if (http !== undefined) {
    const { grantedHttp } = await import("../capabilities/http/granted.ts");
    granted.push(grantedHttp(doubles?.http ?? (await resources.http())).configure(http.map(({ text }) => text)));
  }
  if (config !== undefined) {
    const { grantedConfig } = await import("../capabilities/config/granted.ts");
    const entries = config.map(({ name, value }) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const);
    granted.push(grantedConfig.configure(new Map(entries)));
  }
  for (const kind of STORAGE_KINDS) {
    const names = grants[kind];
    if (names !== undefined) granted.push(await storage(kind, names, resources, doubles));
  }
  return granted;
}

async function storage<K extends StorageKind>(
  kind: K,
  names: readonly BoundResource[],
  resources: Resources,
  doubles: StorageDoubles | undefined,
): Promise<ConfiguredCapability> {
  const all = new Map<string, Opened[K]>();
  for (const { name, resource } of names) {
    const opened = await resources.open(kind, resource);
    all.set(name, doubles === undefined ? opened : await doubles[kind](name, opened));
  }
  return (await STORAGE[kind].capability()).configure(all);
}
