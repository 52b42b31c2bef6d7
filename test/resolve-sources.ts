// Lets the programs of the guides run from a clone: `starlane` and `starlane/engine` are the sources, as nothing is built here.

import { registerHooks } from "node:module";

const DOORS: Readonly<Record<string, string>> = {
  starlane: new URL("../src/index.ts", import.meta.url).href,
  "starlane/engine": new URL("../src/engine/index.ts", import.meta.url).href,
};

registerHooks({
  resolve: (specifier, context, next) => next(DOORS[specifier] ?? specifier, context),
});
