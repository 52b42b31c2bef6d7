#!/usr/bin/env node
// The `starlane` command: finds Node 26 and runs the command line under it. Plain JavaScript that any Node from 18 on can read.
// In a clone it runs the TypeScript sources, and sets the clone up when that was not done; an installed package runs `dist/`.

import { existsSync, realpathSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const NEEDED_MAJOR = 26;
const root = fileURLToPath(new URL("..", import.meta.url));
const isClone = !/[\\/]node_modules[\\/]/.test(root) && existsSync(`${root}src/cli/main.ts`);

await start();

async function start() {
  if (isClone) {
    const { setUp } = await import("../scripts/set-up.mjs");
    if (!(await setUp({ whole: false }))) return void (process.exitCode = 1);
  }
  if (Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR) return runHere();
  const node = await findNode();
  if (node === undefined) {
    process.stderr.write(
      `error: starlane needs Node ${NEEDED_MAJOR} or newer; this is Node ${process.versions.node}, and the package that brings ` +
        `Node ${NEEDED_MAJOR} for ${process.platform}-${process.arch} is not installed\n` +
        `  = install with optional dependencies, or put Node ${NEEDED_MAJOR} first on PATH\n`,
    );
    process.exitCode = 1;
    return;
  }
  await runUnder(node);
}

async function runHere() {
  const { enableCompileCache } = await import("node:module");
  // Without its cache Node would parse and strip every source again: most of a short command's time.
  enableCompileCache(isClone ? `${root}.cache/compile` : await userCache());
  const main = isClone ? "src/cli/main.ts" : "dist/cli/main.js";
  await import(pathToFileURL(`${root}${main}`).href);
}

async function userCache() {
  const { homedir, tmpdir } = await import("node:os");
  const base = process.env.XDG_CACHE_HOME || (process.platform === "win32" ? process.env.LOCALAPPDATA : `${homedir()}/.cache`);
  return `${base || tmpdir()}/starlane/compile`;
}

async function findNode() {
  const { findNodeBinary } = await import("./find-node.mjs");
  const found = findNodeBinary(root);
  // The one that runs now is too old: starting it again would only come back here.
  return found === undefined || found === realpathSync(process.execPath) ? undefined : found;
}

/** Starts this file again under another Node; standard streams, signals and the exit status are those of the new process. */
async function runUnder(node) {
  const { spawn } = await import("node:child_process");
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  const { isatty } = await import("node:tty");
  // A terminal sends its signals to the whole group: passing them on would deliver them twice.
  const onTerminal = [0, 1, 2].some((fd) => isatty(fd));
  const handlers = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"].map((signal) => {
    const fromTerminal = signal === "SIGINT" || signal === "SIGQUIT" || signal === "SIGHUP";
    const handler = () => {
      if (!(fromTerminal && onTerminal)) child.kill(signal);
    };
    try {
      process.on(signal, handler);
    } catch {
      // Not a signal of this system.
    }
    return { signal, handler };
  });
  child.on("error", (error) => {
    process.stderr.write(`error: ${node} could not be started: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    for (const entry of handlers) process.removeListener(entry.signal, entry.handler);
    if (signal === null) process.exitCode = code ?? 1;
    else process.kill(process.pid, signal);
  });
}
