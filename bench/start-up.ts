// How long the command takes to start: a short `invoke` of the built command beside Node doing nothing.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "../scripts/build.ts";
import { type BenchRow, median, row } from "./measure.ts";

export const peerName = "node -e 0";

const ROUNDS = 15;
const root = fileURLToPath(new URL("..", import.meta.url));
const guest = join(root, "guests/wat/bench.wasm");

export async function run(): Promise<BenchRow[]> {
  const installed = join(root, ".cache/bench-start-up");
  await build(join(installed, "dist"));
  mkdirSync(installed, { recursive: true });
  cpSync(join(root, "bin"), join(installed, "bin"), { recursive: true });
  cpSync(join(root, "package.json"), join(installed, "package.json"));
  linkModules(installed);
  const command = [join(installed, "bin/starlane.mjs"), "invoke", guest, "add", "--left", "1", "--right", "2"];
  return [beside("invoke, started by this Node", process.execPath, command), ...otherNode(command)];
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
