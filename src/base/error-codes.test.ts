import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { ERROR_CODES } from "./error-codes.ts";

const file = new URL("../../docs/errors.md", import.meta.url);

test("docs/errors.md lists every error code with its meaning and exit status", () => {
  const expected = errorReference();
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, expected);
  assert.equal(readFileSync(file, "utf8"), expected, "run the tests with UPDATE_GOLDEN=1 to rewrite docs/errors.md");
});

test("codes are group/name in kebab-case and stand in order of their groups", () => {
  const groups = Object.keys(ERROR_CODES).map((code) => code.split("/")[0] ?? "");
  for (const code of Object.keys(ERROR_CODES)) assert.match(code, /^[a-z]+\/[a-z0-9]+(-[a-z0-9]+)*$/);
  const first = groups.filter((group, i) => groups.indexOf(group) === i);
  assert.deepEqual(
    groups,
    first.flatMap((group) => groups.filter((other) => other === group)),
  );
});

function errorReference(): string {
  const groups = Map.groupBy(Object.entries(ERROR_CODES), ([code]) => code.split("/")[0] ?? "");
  const sections = [...groups].map(([group, entries]) => {
    const rows = entries.map(([code, { means, exit }]) => [`\`${code}\``, means.replaceAll("|", "\\|"), String(exit)]);
    return `## ${group}\n\n${tableOf([["code", "means", "exit"], ...rows.toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1))])}`;
  });
  return `# Errors

Every error that Starlane reports has a stable code, says what went wrong and where, and what to do about it. Exit status of a
command: 1 the operation failed, 2 wrong usage, file or manifest, 3 a limit or a denial. Made from \`src/base/error-codes.ts\`.

${sections.join("\n\n")}
`;
}

/** A Markdown table with aligned columns, as the formatter writes it. */
function tableOf([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n");
}
