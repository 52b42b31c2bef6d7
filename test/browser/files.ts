// Which tests run in a browser: those of every folder that runs everywhere, and the scripts of the component model.

import { globSync } from "node:fs";
import { ROOT } from "./served.ts";

const PATTERNS = ["src/{base,wit,manifest,component,flow,engine,capabilities}/**/*.test.ts", "test/conformance/*.test.ts"];

/** Files that can run in Node only, each with its reason. */
export const NODE_ONLY: Readonly<Record<string, string>> = {
  ...because("it needs Node's network", [
    "http/grants.test.ts",
    "http/incoming.test.ts",
    "http/undici-client.test.ts",
    "sockets/grants.test.ts",
    "sockets/ip-address.test.ts",
    "sockets/sockets-0.2.test.ts",
  ]),
  ...because("it needs servers, files or SQLite", [
    "blobstore/backends.test.ts",
    "filesystem/folder.test.ts",
    "granted.test.ts",
    "keyvalue/backends.test.ts",
    "messaging/backends.test.ts",
    "resources/faults.test.ts",
    "sql/backends.test.ts",
    "sql/sqlite-process.test.ts",
    "sql/streaming.test.ts",
  ]),
  ...because("its guest is built in Node", [
    "blobstore/wasi.test.ts",
    "config/granted.test.ts",
    "keyvalue/wasi.test.ts",
    "messaging/wasi.test.ts",
    "sql/wasi.test.ts",
  ]),
};

function because(reason: string, files: readonly string[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [`src/capabilities/${file}`, reason]));
}

export function testFiles(): string[] {
  return globSync(PATTERNS, { cwd: ROOT })
    .map((file) => file.replaceAll("\\", "/"))
    .toSorted();
}
