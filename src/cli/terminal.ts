// What a stream of the command can show: colour where a person looks, plain text elsewhere. NO_COLOR and FORCE_COLOR are respected.

export type Style = "red" | "yellow" | "green" | "blue" | "cyan" | "dim" | "bold";

const CODES: Readonly<Record<Style, readonly [open: string, close: string]>> = {
  red: ["\u001b[31m", "\u001b[39m"],
  yellow: ["\u001b[33m", "\u001b[39m"],
  green: ["\u001b[32m", "\u001b[39m"],
  blue: ["\u001b[34m", "\u001b[39m"],
  cyan: ["\u001b[36m", "\u001b[39m"],
  dim: ["\u001b[2m", "\u001b[22m"],
  bold: ["\u001b[1m", "\u001b[22m"],
};

export type Paint = (style: Style, text: string) => string;

export interface OutputStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Colours text for a stream, or leaves it as it is. */
export function paintFor(stream: OutputStream, env: Readonly<Record<string, string | undefined>> = process.env): Paint {
  return wantsColour(stream, env) ? (style, text) => `${CODES[style][0]}${text}${CODES[style][1]}` : (_style, text) => text;
}

function wantsColour(stream: OutputStream, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return false;
  if (env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "") return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

/** How many columns there are; 100 where nobody looks. */
export function widthOf(stream: OutputStream): number {
  return Math.max(40, stream.columns ?? 100);
}

// Escapes would reach the terminal, marks that reorder text would lie about it.
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text of a stranger (a guest's message, a file name) made safe to show: control characters, escapes among them, become visible;
 * line breaks and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
}
