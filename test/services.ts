// Real servers for tests: each is started on a free port of this machine, in a folder of its own, and is gone when the test file
// ends. A program is looked for on PATH and in Debian's folders; on a Debian machine where we are root it is installed. Where it
// cannot be had, the tests are skipped with the reason; with CI set they fail.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { accessSync, chownSync, constants, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after } from "node:test";

export interface Service {
  /** Why the tests that need it are skipped; undefined where it runs. */
  readonly missing: string | undefined;
  /** On 127.0.0.1. */
  readonly port: number;
  /** Ends the server as a power cut would, and starts it again on the same port and folder. */
  restart(): Promise<void>;
  /** Ends the server; `start` brings it back. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

interface ServiceKind {
  readonly program: string;
  /** Debian's package. */
  readonly package: string;
  /** What it prints when it takes connections. */
  readonly ready: RegExp;
  arguments(port: number, folder: string): string[];
  /** Runs once, before the first start. */
  prepare?(program: string, folder: string, user: SystemUser | undefined): void;
  /** The server refuses to run as root. */
  readonly user?: string;
}

interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

const INSTALLER = "apt-get";
const START_LIMIT_MS = 30_000;

/** A NATS server with JetStream: `nats://127.0.0.1:PORT`. */
export async function startNats(): Promise<Service> {
  return await startService({
    program: "nats-server",
    package: "nats-server",
    ready: /Server is ready/,
    arguments: (port, folder) => ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder],
  });
}

/** A Redis server that keeps everything it was told: `redis://127.0.0.1:PORT`. */
export async function startRedis(): Promise<Service> {
  return await startService({
    program: "redis-server",
    package: "redis-server",
    ready: /Ready to accept connections/,
    arguments: (port, folder) =>
      `--port ${port} --bind 127.0.0.1 --dir ${folder} --appendonly yes --appendfsync always --save`.split(" ").concat(""),
  });
}

/** A Postgres server that trusts the user `postgres`: `postgres://postgres@127.0.0.1:PORT/postgres`. */
export async function startPostgres(): Promise<Service> {
  return await startService({
    program: "postgres",
    package: "postgresql",
    ready: /database system is ready to accept connections/,
    user: "postgres",
    prepare: (program, folder, user) => {
      const initdb = join(program, "../initdb");
      const flags = ["-D", join(folder, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
      const made = spawnSync(initdb, flags, { ...user, cwd: folder, encoding: "utf8" });
      if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
    },
    arguments: (port, folder) => {
      const place = ["-D", join(folder, "data"), "-p", String(port), "-h", "127.0.0.1", "-k", folder];
      return place.concat("-c", "max_connections=60", "-c", "fsync=off", "-c", "shared_buffers=16MB");
    },
  });
}

async function startService(kind: ServiceKind): Promise<Service> {
  const program = findProgram(kind.program) ?? install(kind);
  if (program === undefined) return notThere(`${kind.program} is not on this machine (Debian: apt-get install ${kind.package})`);
  const folder = mkdtempSync(join(tmpdir(), `starlane-${kind.program}-`));
  const user = kind.user === undefined ? undefined : systemUser(kind.user);
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  kind.prepare?.(program, folder, user);
  const port = await freePort();
  let child: ChildProcess | undefined;
  const cleanUp = (): void => {
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", cleanUp);
  const kill = async (): Promise<void> => {
    const ended = child;
    child = undefined;
    if (ended === undefined || ended.exitCode !== null) return;
    const exit = new Promise((resolve) => ended.once("exit", resolve));
    ended.kill("SIGKILL");
    await exit;
  };
  const start = async (): Promise<void> => {
    child = spawn(program, kind.arguments(port, folder), { ...user, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    await readiness(child, kind);
  };
  await start();
  after(async () => {
    await kill();
    process.removeListener("exit", cleanUp);
    cleanUp();
  });
  const restart = async (): Promise<void> => {
    await kill();
    // Postgres leaves its lock file behind when it is killed, and checks whether its process still runs.
    await start();
  };
  return { missing: undefined, port, restart, kill, start };
}

function readiness(child: ChildProcess, kind: ServiceKind): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${kind.program} did not become ready:\n${printed}`));
    }, START_LIMIT_MS);
    const look = (chunk: Buffer): void => {
      printed = (printed + chunk.toString()).slice(-10_000);
      if (!kind.ready.test(printed)) return;
      clearTimeout(late);
      resolve();
    };
    child.stdout?.on("data", look);
    child.stderr?.on("data", look);
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`${kind.program} ended with ${code}:\n${printed}`));
    });
  });
}

/** A program by its name, installed from the package of that name where that is allowed; undefined where there is none. */
export function provideProgram(name: string): string | undefined {
  return findProgram(name) ?? install({ program: name, package: name });
}

function notThere(reason: string): Service {
  if (process.env["CI"] === "true") throw new Error(reason);
  process.stdout.write(`# skipped: ${reason}\n`);
  const none = (): Promise<void> => Promise.reject(new Error(reason));
  return { missing: reason, port: 0, restart: none, kill: none, start: none };
}

function findProgram(name: string): string | undefined {
  const postgres = "/usr/lib/postgresql";
  const versions = existsSync(postgres) ? readdirSync(postgres).map((version) => join(postgres, version, "bin")) : [];
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", ...versions];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function install(kind: Pick<ServiceKind, "program" | "package">): string | undefined {
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return undefined;
  // Packages start their services when they are installed; a policy that forbids it leaves the machine as it was.
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" }, stdio: "ignore" } as const;
  const locked = ["-y", "-o", "DPkg::Lock::Timeout=120"];
  const installed = spawnSync(INSTALLER, [...locked, "--no-install-recommends", "install", kind.package], options);
  if (installed.status !== 0) {
    // A fresh machine has no lists of packages.
    spawnSync(INSTALLER, [...locked, "update"], options);
    spawnSync(INSTALLER, [...locked, "--no-install-recommends", "install", kind.package], options);
  }
  return findProgram(kind.program);
}

/** Whom a server runs as that refuses to run as root; undefined where we are not root. */
function systemUser(name: string): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((one) => one.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
