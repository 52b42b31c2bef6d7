// Sets a clone up: installs the locked packages when they are missing or when the lockfile changed since.
// Plain JavaScript for Node 18 and newer; when nothing is to do it costs two `stat`s.

import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findNodeBinary } from "../bin/find-node.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const lockfile = `${root}package-lock.json`;
const stamp = `${root}node_modules/.starlane-setup`;
const installed = `${root}node_modules/.package-lock.json`;
// A development dependency that every job but `start` needs.
const developmentSign = `${root}node_modules/typescript/package.json`;

/** `whole`: with development dependencies. False when it could not be done (said on standard error). */
export async function setUp({ whole }) {
  if (await isSetUp(whole)) return true;
  const release = await takeLock();
  try {
    if (await isSetUp(whole)) return true;
    return await install(whole || existsSync(developmentSign));
  } finally {
    release();
  }
}

async function isSetUp(whole) {
  if (whole && !existsSync(developmentSign)) return false;
  const locked = changedAt(lockfile);
  if (locked === undefined) return existsSync(installed);
  const stamped = changedAt(stamp);
  if (stamped !== undefined) {
    if (stamped >= locked) return true;
    if (readFileSync(stamp, "utf8") !== (await digest())) return false;
    utimesSync(stamp, new Date(), new Date());
    return true;
  }
  // Installed by hand: npm writes its own copy of the lockfile last.
  const done = changedAt(installed);
  if (done === undefined || done < locked || findNodeBinary(root) === undefined) return false;
  writeFileSync(stamp, await digest());
  return true;
}

async function install(whole) {
  const started = Date.now();
  process.stderr.write(`starlane: setting up, ${whole ? "with" : "without"} development tools …\n`);
  const flags = ["--no-audit", "--no-fund", "--loglevel=error", ...(whole ? [] : ["--omit=dev"])];
  const update = ["install", "--no-save", ...flags];
  // `npm ci` empties node_modules first, which somebody may be using; and it refuses a lockfile that lacks packages of other
  // platforms, as one made with an incomplete registry does. Both take exactly what is locked.
  const isThere = existsSync(installed);
  let { code, output } = await runNpm(isThere ? update : ["ci", ...flags]);
  if (code !== 0 && !isThere && output.includes("EUSAGE")) ({ code, output } = await runNpm(update));
  if (code !== 0) {
    const said = output.trim().split("\n").slice(0, 12).join("\n");
    process.stderr.write(`${said}\nerror: npm failed (status ${code}); nothing was run\n`);
    return false;
  }
  writeFileSync(stamp, await digest());
  process.stderr.write(`starlane: ready after ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  return true;
}

async function runNpm(args) {
  const { spawn } = await import("node:child_process");
  const throughNpm = process.env.npm_execpath?.endsWith(".js") && existsSync(process.env.npm_execpath);
  const [command, first] = throughNpm ? [process.execPath, [process.env.npm_execpath]] : ["npm", []];
  // What the outer npm was told (--omit, --json, a workspace) is not meant for this one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([key]) =>
        !/^npm_(config_(omit|include|json|workspace|ignore_scripts|call|package|yes|prefix|local_prefix|global)|lifecycle|package)/i.test(
          key,
        ),
    ),
  );
  return new Promise((resolve) => {
    const child = spawn(command, [...first, ...args], {
      cwd: root,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32" && !throughNpm,
    });
    let output = "";
    const keep = (chunk) => (output = (output + chunk).slice(0, 20_000));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => resolve({ code: 127, output: `${error.message}\n` }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** One set-up at a time in a clone; whoever comes second waits and finds the work done. */
async function takeLock() {
  const folder = `${root}.cache`;
  const lock = `${folder}/set-up.lock`;
  mkdirSync(folder, { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!isAlive(lock)) rmSync(lock, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function isAlive(lock) {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    // Created, but its number not written yet.
    if (!Number.isInteger(pid) || pid <= 0) return Date.now() - statSync(lock).mtimeMs < 5000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

async function digest() {
  const { createHash } = await import("node:crypto");
  return createHash("sha256").update(readFileSync(lockfile)).digest("hex");
}

function changedAt(path) {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}
