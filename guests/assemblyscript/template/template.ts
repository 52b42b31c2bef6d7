// The interface `acme:template/templates`. One pass over the template; fields do not nest.
import { giveText, giveTexts, room, storeText, text, textAt, Writer } from "../abi";

export { cabi_realloc } from "../abi";

const BACKSLASH: u32 = 0x5c;
const BRACE: u32 = 0x7b;

/** Goes through a template: text up to a field, the field, text up to the next. */
class Scanner {
  at: i32 = 0;
  /** The field that was found last: where it starts and ends, its name, and its default where it has one. */
  start: i32 = 0;
  name: string = "";
  fallback: string | null = null;
  unclosed: bool = false;

  constructor(private template: string) {}

  /** Copies text up to the next field, if there is `out`. Answers whether there is a field. `raw` keeps backslashes. */
  next(out: Writer | null, raw: bool): bool {
    const template = this.template;
    const length = template.length;
    while (this.at < length) {
      const i = this.at;
      const unit = <u32>template.charCodeAt(i);
      const opens = i + 1 < length && <u32>template.charCodeAt(i + 1) == BRACE;
      if (unit == BRACE && opens) return this.field(i);
      if (unit == BACKSLASH && opens && i + 2 < length && <u32>template.charCodeAt(i + 2) == BRACE) {
        if (out) out.write(raw ? "\\{{" : "{{");
        this.at = i + 3;
      } else {
        if (out) out.put(unit);
        this.at = i + 1;
      }
    }
    return false;
  }

  private field(start: i32): bool {
    const end = this.template.indexOf("}}", start + 2);
    this.start = start;
    if (end < 0) {
      this.unclosed = true;
      return false;
    }
    const inside = this.template.substring(start + 2, end);
    const bar = inside.indexOf("|");
    this.name = (bar < 0 ? inside : inside.substring(0, bar)).trim();
    this.fallback = bar < 0 ? null : inside.substring(bar + 1);
    this.at = end + 2;
    return true;
  }
}

function lineOf(template: string, position: i32): u32 {
  let line: u32 = 1;
  for (let i = 0; i < position; i++) if (template.charCodeAt(i) == 10) line++;
  return line;
}

function fail(result: usize, unclosedLine: u32, name: string): usize {
  store<u8>(result, 1);
  store<u8>(result, unclosedLine == 0, 4);
  if (unclosedLine != 0) store<u32>(result, unclosedLine, 8);
  else storeText(result + 8, name);
  return result;
}

export function render(templateAt: usize, templateLength: u32, valuesAt: usize, valueCount: u32): usize {
  const template = text(templateAt, templateLength);
  const values = new Map<string, string>();
  for (let n: u32 = 0; n < valueCount; n++) {
    const pair = valuesAt + <usize>n * 16;
    const name = textAt(pair);
    if (!values.has(name)) values.set(name, textAt(pair + 8));
  }
  const result = room(1, 16);
  const out = new Writer();
  const scanner = new Scanner(template);
  while (scanner.next(out, false)) {
    const fallback = scanner.fallback;
    if (values.has(scanner.name)) out.write(values.get(scanner.name));
    else if (fallback !== null) out.write(fallback);
    else return fail(result, 0, scanner.name);
  }
  if (scanner.unclosed) return fail(result, lineOf(template, scanner.start), "");
  store<u8>(result, 0);
  storeText(result + 4, out.finish());
  return result;
}

/** A value as template text: its braces stay braces when the rest is filled. */
function quoted(value: string): string {
  return value.replaceAll("{{", "\\{{");
}

export function fill(
  templateAt: usize,
  templateLength: u32,
  nameAt: usize,
  nameLength: u32,
  valueAt: usize,
  valueLength: u32,
): usize {
  const template = text(templateAt, templateLength);
  const name = text(nameAt, nameLength).trim();
  const value = quoted(text(valueAt, valueLength));
  const out = new Writer();
  const scanner = new Scanner(template);
  while (scanner.next(out, true)) {
    if (scanner.name == name) out.write(value);
    else out.write(template.substring(scanner.start, scanner.at));
  }
  if (scanner.unclosed) out.write(template.substring(scanner.start));
  return giveText(out.finish());
}

export function fields(templateAt: usize, templateLength: u32): usize {
  const names = new Set<string>();
  const scanner = new Scanner(text(templateAt, templateLength));
  while (scanner.next(null, true)) names.add(scanner.name);
  return giveTexts(names.values());
}

export function afterRender(_: usize): void {
  heap.reset();
}

export function afterFill(_: usize): void {
  heap.reset();
}

export function afterFields(_: usize): void {
  heap.reset();
}
