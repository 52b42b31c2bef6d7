// The times of a schedule: five fields from minutes to days of the week, six with seconds before them, or a name such as `@daily`. Pure text: checked
// and brought into six fields; when they come is worked out where the schedule runs.

/** Six fields, or what is wrong, with its range in the text. */
export type Cron =
  | { readonly cron: string }
  | { readonly start: number; readonly end: number; readonly message: string; readonly cure: string };

interface Field {
  readonly what: string;
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const DAYS = "SUN MON TUE WED THU FRI SAT".split(" ");
const FIELDS: readonly Field[] = [
  { what: "second", least: 0, most: 59 },
  { what: "minute", least: 0, most: 59 },
  { what: "hour", least: 0, most: 23 },
  { what: "day of the month", least: 1, most: 31 },
  { what: "month", least: 1, most: 12, names: MONTHS },
  { what: "day of the week", least: 0, most: 7, names: DAYS },
];
const NICKNAMES: Readonly<Record<string, string>> = {
  "@yearly": "0 0 0 1 1 *",
  "@annually": "0 0 0 1 1 *",
  "@monthly": "0 0 0 1 * *",
  "@weekly": "0 0 0 * * 0",
  "@daily": "0 0 0 * * *",
  "@midnight": "0 0 0 * * *",
  "@hourly": "0 0 * * * *",
  "@minutely": "0 * * * * *",
  "@secondly": "* * * * * *",
};
const LONGEST = 512;
/** In a leap year. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function parseCron(text: string): Cron {
  const whole = (message: string, cure: string): Cron => ({ start: 0, end: text.length, message, cure });
  if (text.length > LONGEST)
    return whole(`times may have ${LONGEST} characters, and these have ${text.length}`, "Make two schedules of them.");
  const trimmed = text.trim();
  if (trimmed.startsWith("@")) {
    const known = NICKNAMES[trimmed.toLowerCase()];
    if (known !== undefined) return { cron: known };
    const cure =
      trimmed === "@reboot"
        ? "Write when it should run: a schedule starts nothing by itself."
        : `Write one of ${Object.keys(NICKNAMES).join(", ")}, or the fields.`;
    return whole(`\`${trimmed.slice(0, 40)}\` is no name of times`, cure);
  }
  const words = Array.from(text.matchAll(/\S+/g), (found) => ({ word: found[0].toUpperCase(), start: found.index }));
  if (words.length !== 5 && words.length !== 6) {
    const message =
      words.length === 0 ? "no times are written" : `times have five fields, or six with seconds, and these have ${words.length}`;
    return whole(
      message,
      "Write minute, hour, day of the month, month and day of the week, as in `0 3 * * MON-FRI`; seconds may stand before them.",
    );
  }
  const fields = words.length === 6 ? FIELDS : FIELDS.slice(1);
  for (const [index, { word, start }] of words.entries()) {
    const field = fields[index];
    const problem = field === undefined ? undefined : fieldProblem(word, field);
    if (problem !== undefined) return { start, end: start + word.length, ...problem };
  }
  const six = [...(words.length === 6 ? [] : ["0"]), ...words.map(({ word }) => word.replaceAll("?", "*"))];
  // Sunday is 0 and 7: at the end of a range only 7 goes forwards.
  six.push((six.pop() ?? "").replaceAll(/-(?:0|SUN)(?=[,/]|$)/g, "-7"));
  const [, , , days = "", months = "", weekdays = ""] = six;
  const [dayStart, monthEnd] = [words.at(-3)?.start ?? 0, (words.at(-2)?.start ?? 0) + (words.at(-2)?.word.length ?? 0)];
  if (weekdays === "*" && isNever(days, months))
    return {
      start: dayStart,
      end: monthEnd,
      message: "none of these months has such a day, so the times never come",
      cure: "Change the day or the month.",
    };
  return { cron: six.join(" ") };
}

type Problem = { readonly message: string; readonly cure: string };

function fieldProblem(word: string, field: Field): Problem | undefined {
  const items = word.split(",");
  for (const item of items) {
    const problem = itemProblem(item, field);
    if (problem !== undefined) return problem;
  }
  if (items.length === 1 || field.what !== "day of the month" || !items.includes("LW")) return undefined;
  return { message: "`LW`, the last weekday of a month, cannot stand in a list", cure: "Make a schedule of its own of it." };
}

function itemProblem(item: string, field: Field): Problem | undefined {
  const shown = `\`${item.slice(0, 40)}\``;
  const bad = (cure = exampleOf(field)): Problem => ({ message: `${shown} is no ${field.what}`, cure });
  if (item === "") return { message: `the list of each ${field.what} has an empty item`, cure: "Remove one of the commas." };
  if (item === "?" || item === "*") return item === "?" && !field.what.startsWith("day") ? bad("Write `*`.") : undefined;
  if (field.what === "day of the month" && /^(?:L|LW|[0-9]{1,2}W)$/.test(item))
    return item.endsWith("W") && item !== "LW" ? numberProblem(item.slice(0, -1), field) : undefined;
  if (field.what === "day of the week" && /^[0-9A-Z]+(?:#[1-5]|L|#L)$/.test(item))
    return numberProblem(item.replace(/(?:#[1-5]|#?L)$/, ""), field);
  const [, range = "", step] = /^([^/]+)(?:\/([^/]*))?$/.exec(item) ?? [];
  if (range === "") return bad();
  if (step !== undefined && !(/^[1-9][0-9]?$/.test(step) && Number(step) <= field.most))
    return {
      message: `${shown} has the step \`${step.slice(0, 20)}\`, but steps of a ${field.what} go from 1 to ${field.most}`,
      cure: exampleOf(field),
    };
  if (range === "*") return undefined;
  const [from = "", to, ...more] = range.split("-");
  if (to === undefined && step !== undefined && numberProblem(from, field) === undefined)
    return {
      message: `${shown} has a step, but no end`,
      cure: `Write \`${from}-${field.what === "day of the week" ? 6 : field.most}/${step}\`.`,
    };
  if (more.length > 0) return bad();
  const problem = numberProblem(from, field) ?? (to === undefined ? undefined : numberProblem(to, field));
  if (problem !== undefined) return problem;
  const [first, last] = [valueOf(from, field), to === undefined ? undefined : valueOf(to, field)];
  if (last !== undefined && first > last && !(field.what === "day of the week" && last === 0))
    return {
      message: `${shown} goes backwards`,
      cure: `Write it as two: \`${from}-${field.names?.at(-1) ?? field.most},${field.names?.[0] ?? field.least}-${to}\`.`,
    };
  return undefined;
}

function numberProblem(text: string, field: Field): Problem | undefined {
  if (Number.isNaN(valueOf(text, field)))
    return { message: `\`${text.slice(0, 40)}\` is no ${field.what}`, cure: exampleOf(field) };
  const value = valueOf(text, field);
  if (value >= field.least && value <= field.most) return undefined;
  return {
    message: `there is no ${field.what} ${text.slice(0, 20)}: they go from ${field.least} to ${field.most}`,
    cure: exampleOf(field),
  };
}

/** NaN where it is no number and no name. */
function valueOf(text: string, { names, least }: Field): number {
  const index = names?.indexOf(text) ?? -1;
  if (index >= 0) return index + (least === 1 ? 1 : 0);
  return /^[0-9]{1,3}$/.test(text) ? Number(text) : Number.NaN;
}

function exampleOf({ least, most, names }: Field): string {
  const words = names === undefined ? "" : `, a name (\`${names[1]}\`)`;
  return `Write a number from ${least} to ${most}${words}, a range (\`${names === undefined ? `${least + 1}-${least + 5}` : `${names[1]}-${names[5]}`}\`), a list (\`${least + 1},${least + 4}\`), \`*\`, or steps (\`*/${least === 0 ? 5 : 2}\`).`;
}

/** Whether plain numbers of days and months name no day of any year. */
function isNever(days: string, months: string): boolean {
  const field = FIELDS[4];
  const dayNumbers = days.split(",").map(Number);
  if (field === undefined || dayNumbers.some(Number.isNaN)) return false;
  const monthNumbers = months.split(",").flatMap((item) => {
    const [from = "", to = from] = item.split("-");
    const [first, last] = [valueOf(from, field), valueOf(to, field)];
    return Array.from({ length: Number.isNaN(first + last) ? 0 : last - first + 1 }, (_, index) => first + index);
  });
  const isPlain = months.split(",").every((item) => /^[0-9A-Z]+(?:-[0-9A-Z]+)?$/.test(item));
  return isPlain && monthNumbers.every((month) => dayNumbers.every((day) => day > (MONTH_DAYS[month - 1] ?? 31)));
}

/** Whether the time zone is known here; they are those of the IANA database. */
export function isTimeZone(name: string): boolean {
  if (name.length > 64 || !/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
