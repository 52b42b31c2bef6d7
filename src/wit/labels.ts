// WIT labels (kebab case): their grammar, the words that must be escaped with `%`, and the label nearest to any other spelling.
// Source: component-model `Explainer.md` (label) and `WIT.md` (keywords), August 2026.

const LABEL = /^(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*)(?:-(?:[0-9a-z]+|[0-9A-Z]+))*$/;
const LONGEST_LABEL = 10_000;

/** Whether `text` is a kebab-case label: `a`, `a1-2-3`, `is-XML`. */
export function isLabel(text: string): boolean {
  return text.length <= LONGEST_LABEL && LABEL.test(text);
}

/** The words that a WIT text cannot use bare as a name; `error-context` and `_` are not names there either. */
export const WIT_KEYWORDS: ReadonlySet<string> = new Set(
  (
    "_ as async bool borrow char constructor enum error-context export f32 f64 flags from func future import include interface " +
    "list map option own package record resource result s16 s32 s64 s8 static stream string tuple type u16 u32 u64 u8 use " +
    "variant with world"
  ).split(" "),
);

/** A label as WIT text: keywords get their `%`. */
export function escapeLabel(label: string): string {
  return WIT_KEYWORDS.has(label) ? `%${label}` : label;
}

/** `firstName`, `first_name` and `First Name` as `first-name`; undefined where no label can be made of it. */
export function kebabCase(text: string): string | undefined {
  if (text.length > 200) return undefined;
  const kebab = text
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .split(/[^0-9A-Za-z]+/)
    .filter((word) => word !== "")
    .map((word) => word.toLowerCase())
    .join("-");
  return isLabel(kebab) ? kebab : undefined;
}

/** What must differ between the labels of one type: case does not count. */
export function labelKey(label: string): string {
  return label.toLowerCase();
}
