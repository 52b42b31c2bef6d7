// `node:util` in a browser: what tests use of it.

export { isDeepStrictEqual } from "./deep-equal.ts";
