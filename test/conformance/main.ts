// npm run conformance [-- --pooled]: passed/total of every script, and what does not pass yet. `--pooled`: with the core modules in the
// form that pools run.

import { KNOWN_GAPS } from "./known-gaps.ts";
import { runScript, scriptNames, summary, whyAbsent } from "./scripts.ts";

const absent = whyAbsent();
if (absent !== undefined) {
  console.error(absent);
  process.exit(2);
}
const isPooled = process.argv.includes("--pooled");
let passed = 0;
let runnable = 0;
for (const name of scriptNames()) {
  const results = await runScript(name, isPooled);
  const failed = results.filter(({ outcome }) => outcome === "failed");
  passed += results.filter(({ outcome }) => outcome === "passed").length;
  runnable += results.filter(({ outcome }) => outcome !== "unreadable").length;
  console.log(`${name} ${summary(results)}`);
  const reason = ({ line, reason: why }: (typeof failed)[number]): string => KNOWN_GAPS[name]?.[line] ?? why ?? "";
  for (const one of failed.slice(0, 8)) console.log(`    ${one.line} ${one.type}: ${reason(one).slice(0, 160)}`);
  if (failed.length > 8) console.log(`    and ${failed.length - 8} more`);
}
console.log(`${passed}/${runnable}`);
