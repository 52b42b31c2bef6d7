import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isTimeZone, parseCron } from "./cron.ts";

test("five fields get a second, names are brought into upper case, `?` is any day", () => {
  assert.deepEqual(parseCron("0 3 * * mon-fri"), { cron: "0 0 3 * * MON-FRI" });
  assert.deepEqual(parseCron("  */5 * * * jan,DEC ?  "), { cron: "*/5 * * * JAN,DEC *" });
  assert.deepEqual(parseCron("0 0 ? * 1#2"), { cron: "0 0 0 * * 1#2" });
});

test("a range of weekdays that ends on Sunday goes forwards", () => {
  assert.deepEqual(parseCron("0 0 * * SAT-SUN"), { cron: "0 0 0 * * SAT-7" });
  assert.deepEqual(parseCron("0 0 * * 5-0/2,1-0"), { cron: "0 0 0 * * 5-7/2,1-7" });
});

test("names stand for times", () => {
  assert.deepEqual(parseCron("@Daily"), { cron: "0 0 0 * * *" });
  assert.deepEqual(parseCron("@weekly"), { cron: "0 0 0 * * 0" });
});

test("days that no month of the list has are a mistake, the 29th of February is none", () => {
  assert("cron" in parseCron("0 0 29 2 *"));
  assert("cron" in parseCron("0 0 31 4,5 *"));
  assert("message" in parseCron("0 0 31 4,6 *"));
  assert("cron" in parseCron("0 0 30 2 MON"), "a Monday will do");
});

test("whatever the text, a mistake lies inside it", () => {
  const word = fc.string({ unit: fc.constantFrom(..."0123456789*/-,?LW#@MONJAn ".split("")), maxLength: 12 });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      const text = words.join(" ");
      const cron = parseCron(text);
      if ("cron" in cron) assert.equal(cron.cron.split(" ").length, 6);
      else assert(cron.start >= 0 && cron.start <= cron.end && cron.end <= text.length && /[.?]$/.test(cron.cure));
    }),
  );
});

test("time zones are those of the IANA database, not offsets", () => {
  for (const name of ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"]) assert(isTimeZone(name), name);
  for (const name of ["", "+02:00", "Berlin", "Europe/Berlin ", "x".repeat(1000)]) assert(!isTimeZone(name), name);
});
