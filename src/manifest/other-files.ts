// Files that are no manifest at all, though YAML or JSON: told in one message instead of one for every key they have.

import { listed, meant } from "./mistakes.ts";
import type { MapTree } from "./tree.ts";

/** A file without any of these, misspelt ones included, was not meant to be a manifest. */
const OWN_KEYS = ["starlane", "components", "operations"];

/** What other files are known by: all of the keys are there. */
const KNOWN_FILES: readonly { readonly what: string; readonly keys: readonly string[] }[] = [
  { what: "the package.json of an npm package", keys: ["name", "dependencies"] },
  { what: "the package.json of an npm package", keys: ["name", "devDependencies"] },
  { what: "the package.json of an npm package", keys: ["name", "scripts"] },
  { what: "a lock file of npm", keys: ["lockfileVersion"] },
  { what: "a configuration of TypeScript", keys: ["compilerOptions"] },
  { what: "a resource of Kubernetes", keys: ["apiVersion", "kind"] },
  { what: "a description of an HTTP API (OpenAPI)", keys: ["openapi"] },
  { what: "a description of an HTTP API (OpenAPI)", keys: ["swagger"] },
  { what: "a file of Docker Compose", keys: ["services"] },
  { what: "a workflow of GitHub Actions", keys: ["jobs", "on"] },
  { what: "a JSON Schema", keys: ["$schema", "properties"] },
];

/** What a file is that is no manifest, as the rest of a sentence; undefined: it may well be one. */
export function otherFile({ entries }: MapTree): string | undefined {
  const keys = entries.map(({ key }) => key);
  if (keys.length === 0 || keys.some((key) => meant(key, OWN_KEYS) !== undefined)) return undefined;
  const known = KNOWN_FILES.find((file) => file.keys.every((key) => keys.includes(key)));
  return known === undefined ? `it has the keys ${listed(keys)}` : `it looks like ${known.what}`;
}
