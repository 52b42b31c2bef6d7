// How long the command takes to start: a short `invoke` of the built command beside Node doing nothing, and of a component of 12 MB
// (JavaScript, with its engine) when it is started for the first and for the second time.

import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transpile } from "@bytecodealliance/jco";
import { build } from "../scripts/build.ts";
import { type BenchRow, median, row } from "./measure.ts";

export const peerName = "node -e 0";

const ROUNDS = 15;
const root = fileURLToPath(new URL("..", import.meta.url));
const guest = join(root, "guests/wat/bench.wasm");
const large = join(root, ".cache/guests/typescript/greeter-js.wasm");

export async function run(): Promise<BenchRow[]> {
  const installed = join(root, ".cache/bench-start-up");
  await build(join(installed, "dist"));
  mkdirSync(installed, { recursive: true });
  cpSync(join(root, "bin"), join(installed, "bin"), { recursive: true });
  cpSync(join(root, "package.json"), join(installed, "package.json"));
  linkModules(installed);
  const command = [join(installed, "bin/starlane.mjs"), "invoke", guest, "add", "--left", "1", "--right", "2"];
  return [
    beside("invoke, started by this Node", process.execPath, command),
    ...otherNode(command),
    ...(await largeComponent(installed)),
  ];
}

/** Until the answer is there: what the process then does to end is nobody's concern. */
async function largeComponent(installed: string): Promise<BenchRow[]> {
  if (!existsSync(large)) {
    console.error("rows of the 12 MB component are left out: npm run guests -- typescript/greeter-js");
    return [];
  }
  const command = [join(installed, "bin/starlane.mjs"), "invoke", large, "greet", "--name", "Ada", "--lang", "en"];
  const [cache, none] = [join(installed, "cache"), join(installed, "no-cache")];
  const jco = [await transpiled(join(installed, "jco"))];
  const times = { first: [] as number[], second: [] as number[], jco: [] as number[], node: [] as number[] };
  rmSync(cache, { recursive: true, force: true });
  await answered(command, { STARLANE_CACHE: cache });
  for (let i = 0; i <= ROUNDS; i++) {
    rmSync(none, { recursive: true, force: true });
    times.first.push(await answered(command, { STARLANE_CACHE: none }));
    times.second.push(await answered(command, { STARLANE_CACHE: cache }));
    times.jco.push(await answered(jco, {}));
    times.node.push(await answered(["-e", "console.log(0)"], {}));
  }
  const middle = (list: readonly number[]): number => median(list.slice(1));
  return [
    row("12 MB component, first start", "ms", middle(times.first), middle(times.node)),
    row("12 MB component, second start", "ms", middle(times.second), middle(times.node)),
    row("12 MB component, second start, beside the output of jco", "ms", middle(times.second), middle(times.jco)),
  ];
}

/** A script that runs what jco makes of the component. */
async function transpiled(folder: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  const { files } = await transpile(readFileSync(large), { name: "greeter" });
  for (const [file, bytes] of Object.entries(files)) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  const script = join(folder, "main.mjs");
  const imports = `import { greeter } from "./greeter.js";`;
  writeFileSync(script, `${imports}\nconsole.log(JSON.stringify(greeter.greet("Ada", "en")));\n`);
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  return script;
}

/** Milliseconds until a command says something. */
async function answered(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  let ms: number | undefined;
  child.stdout.on("data", () => (ms ??= performance.now() - start));
  const status = await ended;
  if (status !== 0 || ms === undefined) throw new Error(`node ${args.join(" ")} ended with ${status}`);
  return ms;
}

function linkModules(installed: string): void {
  try {
    symlinkSync(join(root, "node_modules"), join(installed, "node_modules"));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

/** The Node of the machine, where it is an older one: the command then starts itself again under its own. */
function otherNode(command: readonly string[]): BenchRow[] {
  const path = (process.env.PATH ?? "")
    .split(":")
    .filter((folder) => !folder.includes("node_modules") && folder !== join(process.execPath, ".."));
  const older = path.map((folder) => join(folder, "node")).find((file) => spawnSync(file, ["-v"]).status === 0);
  return older === undefined ? [] : [beside(`invoke, started by ${older}`, older, command)];
}

function beside(name: string, node: string, command: readonly string[]): BenchRow {
  const ours: number[] = [];
  const peer: number[] = [];
  for (let i = 0; i <= ROUNDS; i++) {
    ours.push(timed(node, command));
    peer.push(timed(node, ["-e", "0"]));
  }
  return row(name, "ms", median(ours.slice(1)), median(peer.slice(1)));
}

function timed(node: string, args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(node, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${node} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return performance.now() - start;
}
