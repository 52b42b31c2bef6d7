// What the instances of one component are given: what needs no grant, and over that exactly what the manifest grants.

import type { Binding, CapabilityTransaction, ConfiguredCapability } from "../capabilities/capability.ts";
import type { CliGrant } from "../capabilities/cli/granted.ts";
import { linkInert } from "../capabilities/inert.ts";
import type { InstanceImports } from "../engine/engine.ts";
import type { BoundResource, Grants, ResourceKind } from "../manifest/manifest.ts";
import type { Doubles } from "./doubles/doubles.ts";
import { inertInstance } from "./inert-instance.ts";
import type { Opened, Resources } from "./resources.ts";

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
  return {
    imports,
    prepare(transaction) {
      inert.prepare(transaction);
      for (const binding of bindings) binding.prepare?.(transaction);
    },
    finish(outcome) {
      const waits = bindings.map((binding) => binding.finish?.(outcome)).filter((wait) => wait instanceof Promise);
      return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
    },
  };
}

async function configure(
  grants: Grants,
  { resources, environment, command, doubles }: GrantContext,
): Promise<ConfiguredCapability[]> {
  const granted: ConfiguredCapability[] = [];
  const { cli, clock, random, files, sockets, http, config, keyvalue, blobs, messaging, sql } = grants;
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
  if (keyvalue !== undefined) {
    const { keyValueCapability } = await import("../capabilities/keyvalue/wasi.ts");
    granted.push(
      keyValueCapability.configure(
        await bound("keyvalue", keyvalue, resources, async (name, store) => doubles?.keyvalue(name, store)),
      ),
    );
  }
  if (blobs !== undefined) {
    const { blobstoreCapability } = await import("../capabilities/blobstore/wasi.ts");
    granted.push(
      blobstoreCapability.configure(await bound("blobs", blobs, resources, async (name, store) => doubles?.blobs(name, store))),
    );
  }
  if (messaging !== undefined) {
    const { messagingCapability } = await import("../capabilities/messaging/wasi.ts");
    granted.push(
      messagingCapability.configure(
        await bound("messaging", messaging, resources, async (_name, broker) => doubles?.messaging(broker)),
      ),
    );
  }
  if (sql !== undefined) {
    const { sqlCapability } = await import("../capabilities/sql/wasi.ts");
    granted.push(
      sqlCapability.configure(await bound("sql", sql, resources, async (name, database) => doubles?.sql(name, database))),
    );
  }
  return granted;
}

async function bound<K extends ResourceKind>(
  kind: K,
  names: readonly BoundResource[],
  resources: Resources,
  double: (name: string, resource: Opened[K]) => Promise<Opened[K] | undefined>,
): Promise<ReadonlyMap<string, Opened[K]>> {
  const all = new Map<string, Opened[K]>();
  for (const { name, resource } of names) {
    const opened = await resources.open(kind, resource);
    all.set(name, (await double(name, opened)) ?? opened);
  }
  return all;
}
