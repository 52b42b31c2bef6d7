// Makes ../build/greeter.wasm: AssemblyScript compiles to a core module, and with its WIT that becomes a component.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { componentEmbed, componentNew } from "@bytecodealliance/jco-transpile/wasm-tools";
import asc from "assemblyscript/asc";

const core = "../build/greeter.core.wasm";
await mkdir("../build", { recursive: true });

const options = ["--optimize", "--noAssert", "--runtime", "stub", "--use", "abort="];
const { error, stderr } = await asc.main(["greeter.ts", "--outFile", core, ...options]);
if (error) {
  console.error(stderr.toString() || error.message);
  process.exit(1);
}

const embedded = await componentEmbed({
  binary: await readFile(core),
  witSource: await readFile("wit/greeter.wit", "utf8"),
  stringEncoding: "utf16",
});
await writeFile("../build/greeter.wasm", await componentNew(embedded, []));
