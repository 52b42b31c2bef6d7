// How long a run may keep the thread: streams whose elements are all there would go round in microtasks for ever, and neither a deadline
// nor another transaction would get its turn. So whoever makes or fetches elements lets others have the thread every few milliseconds.

/** Milliseconds between two breaths. */
const STRETCH_MS = 5;

export class Pace {
  private breathedMs = performance.now();

  /** Undefined where it is not time yet; else a promise that resolves when others have had their turn. */
  breath(): Promise<void> | undefined {
    if (performance.now() - this.breathedMs < STRETCH_MS) return undefined;
    return new Promise((resolve) => {
      afterOthers(() => {
        this.breathedMs = performance.now();
        resolve();
      });
    });
  }
}

/** Node's own way takes no millisecond, as a timer does. */
const afterOthers: (run: () => void) => unknown =
  (globalThis as { setImmediate?: (run: () => void) => unknown }).setImmediate ?? ((run) => setTimeout(run, 0));
