// Names as they fit into a line.

/** The first `length` characters, with a mark where there are more. */
export function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).toWellFormed()}…` : text;
}
