// Quantities with units, as manifests and command lines write them: durations (`500ms`, `2s`, `1m`, `1h`) and sizes (`64MiB`).

/** Longest duration: what timers of every platform can wait, 2^31 - 1 milliseconds (24 days). */
const LONGEST_DURATION_MS = 2 ** 31 - 1;
const LONGEST_TEXT = 32;

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** What people write instead, and what they mean by it. */
const DURATION_SYNONYMS: Readonly<Record<string, string>> = {
  msec: "ms",
  millis: "ms",
  millisecond: "ms",
  milliseconds: "ms",
  sec: "s",
  secs: "s",
  second: "s",
  seconds: "s",
  min: "m",
  mins: "m",
  minute: "m",
  minutes: "m",
  hr: "h",
  hour: "h",
  hours: "h",
  day: "d",
  days: "d",
};
const SIZE_SYNONYMS: Readonly<Record<string, string>> = {
  b: "B",
  bytes: "B",
  byte: "B",
  k: "KiB",
  kb: "KiB",
  kib: "KiB",
  m: "MiB",
  mb: "MiB",
  mib: "MiB",
  g: "GiB",
  gb: "GiB",
  gib: "GiB",
  t: "TiB",
  tb: "TiB",
  tib: "TiB",
};

/** A parsed quantity in its base unit, or what is wrong with the text. */
export type Quantity = { readonly value: number } | { readonly message: string; readonly cure: string };

/** A duration in milliseconds, at most 24 days. A number alone is a mistake: its unit would be a guess. */
export function parseDuration(text: string | number): Quantity {
  const parsed = parse(text, {
    what: "duration",
    units: DURATION_UNITS,
    synonyms: DURATION_SYNONYMS,
    example: "500ms",
    list: "`ms`, `s`, `m`, `h` and `d`",
  });
  if ("value" in parsed && parsed.value > LONGEST_DURATION_MS) {
    return { message: `the duration \`${text}\` is longer than the longest possible one`, cure: "Write at most `24d`." };
  }
  return parsed;
}

/** A size in bytes, a whole number, at most 2^53 - 1. Units are powers of 1024: `KiB`, `MiB`, `GiB`, `TiB`, or `B`. */
export function parseSize(text: string | number): Quantity {
  const parsed = parse(text, {
    what: "size",
    units: SIZE_UNITS,
    synonyms: SIZE_SYNONYMS,
    example: "64MiB",
    list: "`B`, `KiB`, `MiB`, `GiB` and `TiB`",
  });
  if (!("value" in parsed)) return parsed;
  if (!Number.isInteger(parsed.value))
    return { message: `the size \`${text}\` is no whole number of bytes`, cure: "Use a smaller unit." };
  if (parsed.value > Number.MAX_SAFE_INTEGER)
    return { message: `the size \`${text}\` is larger than the largest possible one`, cure: "Write at most `8191TiB`." };
  return parsed;
}

interface Units {
  readonly what: string;
  readonly units: Readonly<Record<string, number>>;
  readonly synonyms: Readonly<Record<string, string>>;
  readonly example: string;
  readonly list: string;
}

function parse(given: string | number, { what, units, synonyms, example, list }: Units): Quantity {
  const text = String(given);
  const shown = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
  const match = text.length > LONGEST_TEXT ? null : /^([+-]?)([0-9]+(?:[.,][0-9]+)?)(\s*)([A-Za-zµ]*)$/.exec(text.trim());
  if (match === null)
    return {
      message: `${JSON.stringify(shown)} is no ${what}`,
      cure: `Write a number and a unit, as in \`${example}\`; the units are ${list}.`,
    };
  const [, sign = "", digits = "", space = "", unit = ""] = match;
  if (sign !== "") return { message: `a ${what} has no sign, but \`${shown}\` has`, cure: `Write \`${digits}${unit}\`.` };
  const decimal = digits.replace(",", ".");
  if (unit === "") {
    if (Number(digits) === 0) return { value: 0 };
    return {
      message: `the ${what} \`${shown}\` has no unit`,
      cure: `Write a number and a unit, as in \`${example}\`; the units are ${list}.`,
    };
  }
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined) {
    const known = knownUnit(unit, units, synonyms);
    return {
      message: `\`${unit}\` is no unit of a ${what}`,
      cure:
        known === undefined
          ? `The units are ${list}.`
          : `Write \`${decimal}${known}\`${known.endsWith("iB") ? `: units of size are powers of 1024` : ""}.`,
    };
  }
  if (space !== "" || decimal !== digits)
    return { message: `the ${what} \`${shown}\` is not written in one piece`, cure: `Write \`${decimal}${unit}\`.` };
  return { value: Number(decimal) * factor };
}

function knownUnit(
  unit: string,
  units: Readonly<Record<string, number>>,
  synonyms: Readonly<Record<string, string>>,
): string | undefined {
  const lower = unit.toLowerCase();
  if (Object.hasOwn(synonyms, lower)) return synonyms[lower];
  return Object.keys(units).find((known) => known.toLowerCase() === lower);
}
