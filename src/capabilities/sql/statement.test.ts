import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StarlaneError } from "../../base/errors.ts";
import { readStatement } from "./statement.ts";

const rejected = (error: unknown): boolean => error instanceof StarlaneError && error.code === "resource/rejected";

test("the first word is found behind comments, spaces and brackets", () => {
  assert.equal(readStatement("-- drop\n /* x */ select 1", "sqlite").keyword, "SELECT");
  assert.equal(readStatement("/* a /* nested */ b */ commit", "postgres").keyword, "COMMIT");
  assert.equal(readStatement("(select 1)", "postgres").keyword, "SELECT");
  for (const nothing of ["", "  ", "-- only", ";", "/* */ ;"]) {
    assert.throws(() => readStatement(nothing, "sqlite"), rejected, nothing);
  }
});

test("parameters are counted and numbered where they are parameters, and nowhere else", () => {
  const sql = `SELECT '?', "?", x FROM t -- ?\nWHERE a = ? /* ? */ AND b = ?`;
  const read = readStatement(sql, "postgres");
  assert.deepEqual([read.style, read.parameterCount], ["question", 2]);
  assert.equal(read.numbered, `SELECT '?', "?", x FROM t -- ?\nWHERE a = $1 /* ? */ AND b = $2`);
  assert.deepEqual(readStatement("SELECT $2, $1, $2", "sqlite").parameterCount, 2);
  assert.equal(readStatement("SELECT 'it''s ?', [a?], `b?`, ?", "sqlite").parameterCount, 1);
  assert.equal(readStatement("SELECT E'\\'?', $$?$$, $a$ $$ ? $a$, ?", "postgres").parameterCount, 1);
  assert.equal(readStatement("SELECT x1$ FROM t2 WHERE c = $1", "postgres").parameterCount, 1);
});

test("the question mark of Postgres' JSON stays an operator beside numbered parameters", () => {
  const read = readStatement("SELECT tags ? $1 FROM t", "postgres");
  assert.deepEqual([read.style, read.parameterCount], ["dollar", 1]);
  assert.throws(() => readStatement("SELECT ?, $1", "sqlite"), rejected);
});

test("more than one statement is refused; a trigger's body is part of one", () => {
  assert.throws(() => readStatement("SELECT 1; SELECT 2", "sqlite"), rejected);
  assert.throws(() => readStatement("SELECT ';'; /* ; */ COMMIT", "postgres"), rejected);
  assert.equal(readStatement("SELECT ';' ; -- done ;\n ;", "sqlite").keyword, "SELECT");
  const trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END";
  assert.equal(readStatement(trigger, "sqlite").keyword, "CREATE");
});

test("what is not closed is refused", () => {
  for (const open of ["SELECT 'a", 'SELECT "a', "SELECT $$a", "SELECT /* a", "SELECT $a$ $$"]) {
    assert.throws(() => readStatement(open, "postgres"), rejected, open);
  }
});

test("any text is read in one pass or refused, in either dialect", () => {
  const pieces = fc.constantFrom(
    "'",
    '"',
    "`",
    "[",
    "]",
    "$",
    "$$",
    "$a$",
    "?",
    "$1",
    ";",
    "--",
    "/*",
    "*/",
    "\n",
    " ",
    "E",
    "a",
    "1",
    "\\",
  );
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 40 }),
      fc.constantFrom("sqlite" as const, "postgres" as const),
      (parts, dialect) => {
        try {
          const read = readStatement(parts.join(""), dialect);
          assert.ok(read.keyword.length > 0);
          assert.ok(read.numbered.length >= parts.join("").length);
        } catch (error) {
          assert.ok(rejected(error), String(error));
        }
      },
    ),
  );
});
