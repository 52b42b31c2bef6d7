// Runs one of the jobs of package.json: sets up what is missing, then runs the job with Node 26 first on PATH.
// Plain JavaScript for Node 18 and newer: `npm test` on a machine with an older Node comes through here.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { delimiter, dirname } from "node:path";
import { findNodeBinary } from "../bin/find-node.mjs";
import { setUp } from "./set-up.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

// Each job: commands that run one after another until one fails; further arguments go to the last one.
const JOBS = {
  start: [["node", "scripts/start.ts"]],
  test: [["node", "--test", "src/**/*.test.ts", "test/**/*.test.ts", "guests/*.test.ts", "dashboard/**/*.test.ts"]],
  "test:browser": [["node", "--disable-warning=ExperimentalWarning", "test/browser/main.ts"]],
  check: [
    ["tsc", "--noEmit"],
    ["tsc", "--noEmit", "-p", "dashboard"],
    ["oxlint", "--type-aware"],
    ["oxfmt", "--check"],
    ["knip"],
  ],
  format: [["oxfmt"]],
  conformance: [["node", "test/conformance/main.ts"]],
  fuzz: [["node", "test/fuzz/main.ts"]],
  guests: [["node", "scripts/guests/build.ts"]],
  bench: [["node", "bench/main.ts"]],
  build: [["node", "scripts/build.ts"]],
};

const [name = "", ...rest] = process.argv.slice(2);
const job = JOBS[name];
if (job === undefined) {
  process.stderr.write(`error: no job ${JSON.stringify(name)}; there are: ${Object.keys(JOBS).join(", ")}\n`);
  process.exit(2);
}
process.exitCode = (await setUp({ whole: name !== "start" })) ? await runAll(job, rest) : 1;

async function runAll(commands, args) {
  for (const [i, command] of commands.entries()) {
    const code = await run(i === commands.length - 1 ? [...command, ...args] : command);
    if (code !== 0) return code;
  }
  return 0;
}

function run([program, ...args]) {
  const node = findNodeBinary(root) ?? process.execPath;
  const path = [dirname(node), `${root}node_modules/.bin`, process.env.PATH].join(delimiter);
  // Tools are started as `node file` by their launchers: the first Node on PATH is theirs too.
  const env = { ...process.env, PATH: path, NODE_COMPILE_CACHE: `${root}.cache/compile` };
  return new Promise((resolve) => {
    const child = spawn(program === "node" ? node : program, args, {
      cwd: root,
      env,
      stdio: "inherit",
      shell: process.platform === "win32",
    });
    child.on("error", (error) => {
      process.stderr.write(`error: ${program} could not be started: ${error.message}\n`);
      resolve(127);
    });
    child.on("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  });
}
