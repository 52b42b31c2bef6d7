// What to install where a tool is missing.

import { basename } from "node:path";

const WASM_TOOLS =
  "install it with `cargo install --locked wasm-tools`, or from https://github.com/bytecodealliance/wasm-tools/releases";
const NODE = "install Node.js (https://nodejs.org), which brings it";
const RUST = "install Rust (https://rustup.rs), then run `rustup target add wasm32-wasip2`";
const WASI_SDK = "install wasi-sdk (https://github.com/WebAssembly/wasi-sdk/releases) and put its bin folder on PATH";
const NPM = "run `npm install` in the folder of the app";

const INSTALL: Readonly<Record<string, string>> = {
  asc: NPM,
  cargo: RUST,
  clang: "install clang and lld (Debian: `apt install clang lld`)",
  "componentize-go":
    "install it with `cargo install --git https://github.com/bytecodealliance/componentize-go`, or from its page of releases",
  "componentize-js": NPM,
  "componentize-py": "install it with `pip install componentize-py`",
  "componentize-qjs": NPM,
  go: "install Go 1.24 or later (https://go.dev/dl)",
  jco: NPM,
  make: "install make (Debian: `apt install make`; macOS: `xcode-select --install`)",
  node: NODE,
  npm: NODE,
  npx: NODE,
  pip: "install Python (https://www.python.org/downloads), which brings it",
  python3: "install Python (https://www.python.org/downloads)",
  rustc: RUST,
  rustup: RUST,
  tinygo: "install TinyGo (https://tinygo.org/getting-started/install)",
  "wasm-tools": WASM_TOOLS,
  "wasm32-wasip2-clang": WASI_SDK,
  "wit-bindgen":
    "install it with `cargo install --locked wit-bindgen-cli`, or from https://github.com/bytecodealliance/wit-bindgen/releases",
};

/** One sentence for people who lack a program. */
export function cureForMissing(program: string): string {
  const name = basename(program).replace(/\.(?:exe|cmd)$/i, "");
  const known = Object.hasOwn(INSTALL, name) ? INSTALL[name] : undefined;
  return known ?? `install ${name}, or put the folder that it is in on PATH`;
}
