import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { COMMANDS } from "./commands.ts";
import { helpOfAll, helpOfCommand } from "./help.ts";

const file = new URL("../../docs/cli.md", import.meta.url);

test("docs/cli.md is the help of the command", () => {
  const expected = reference();
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, expected);
  assert.equal(readFileSync(file, "utf8"), expected, "run the tests with UPDATE_GOLDEN=1 to rewrite docs/cli.md");
});

function reference(): string {
  const sections = COMMANDS.map((command) => `## starlane ${command.name}\n\n${block(helpOfCommand(command))}`);
  return `# The command line

What \`--help\` prints. Standard output gets results, standard error everything else. Exit status: 0 done, 1 the operation failed,
2 wrong usage or manifest, 3 a limit or a denial; the codes of errors are in [errors.md](errors.md).

${block(helpOfAll())}

${sections.join("\n\n")}
`;
}

function block(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``;
}
