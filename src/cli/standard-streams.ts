// The standard streams of this process, as a component gets them: pipes, files and terminals. Reading starts only when a component reads.

import type { CommandStreams } from "../star/grants.ts";

export interface HostStreams extends CommandStreams {
  /** Lets the process end although standard input is still open. */
  close(): void;
}

export function hostStreams(): HostStreams {
  let isReading = false;
  return {
    stdin: {
      isTerminal: process.stdin.isTTY,
      bytes: {
        [Symbol.asyncIterator]() {
          isReading = true;
          return process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
        },
      },
    },
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    close() {
      if (isReading) process.stdin.destroy();
    },
  };
}

function output(stream: NodeJS.WriteStream): NonNullable<CommandStreams["stdout"]> {
  return {
    isTerminal: stream.isTTY,
    write: (bytes) =>
      new Promise<void>((resolve, reject) => {
        stream.write(bytes, (error) => (error instanceof Error ? reject(error) : resolve()));
      }),
  };
}
