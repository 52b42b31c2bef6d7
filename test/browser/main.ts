// npm run test:browser [-- PART-OF-A-PATH …] [--verbose]: the tests of everything that runs everywhere, in headless Chromium. Prints a line
// for each file in the manner of TAP, and every test that failed or was skipped. Exit status 1 when one failed, 2 without a browser.

import { findChromium, installChromium } from "./chromium.ts";
import { NODE_ONLY, testFiles } from "./files.ts";
import { Printer } from "./printer.ts";
import { runInBrowser } from "./run.ts";

const args = process.argv.slice(2);
const parts = args.filter((arg) => arg !== "--verbose");

const program = findChromium() ?? installChromium();
if (program === undefined) {
  process.stderr.write(
    "error: no Chromium: install Debian's package `chromium`, or another one, and put it on PATH or name it in STARLANE_BROWSER\n",
  );
  process.exit(2);
}
const printer = new Printer(args.includes("--verbose"));
const chosen = testFiles().filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
const [skipped, files] = [chosen.filter((file) => file in NODE_ONLY), chosen.filter((file) => !(file in NODE_ONLY))];
if (chosen.length === 0) {
  process.stderr.write(`error: no test file has ${parts.join(" or ")} in its path\n`);
  process.exit(2);
}
for (const file of skipped) printer.skip(file, NODE_ONLY[file] ?? "");
try {
  await runInBrowser(program, files, printer);
} catch (error) {
  printer.bail(error instanceof Error ? error.message : String(error));
}
process.exitCode = printer.end(files.length) ? 0 : 1;
