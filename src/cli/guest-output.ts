// What guests print and log goes to standard error, as text, with control characters made visible: a guest must not be able to
// talk to the terminal.

import type { OutputStreamName } from "../capabilities/capability.ts";
import { printable } from "./terminal.ts";

export type GuestWrite = (stream: OutputStreamName, bytes: Uint8Array) => void;

/** A receiver for what guests print; `end` writes what is left of a text that was cut in the middle of a character. */
export function guestOutput(): {
  readonly write: GuestWrite;
  readonly end: () => void;
} {
  const decoders = new Map<OutputStreamName, TextDecoder>();
  let endsInLine = true;
  const show = (text: string): void => {
    if (text === "") return;
    endsInLine = text.endsWith("\n");
    process.stderr.write(printable(text));
  };
  return {
    write(stream, bytes) {
      const decoder = decoders.get(stream) ?? new TextDecoder();
      decoders.set(stream, decoder);
      show(decoder.decode(bytes, { stream: true }));
    },
    end() {
      for (const decoder of decoders.values()) show(decoder.decode());
      if (!endsInLine) show("\n");
    },
  };
}
