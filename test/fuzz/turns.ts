// Waiting without a clock: in turns of the event loop.

export const PENDING = Symbol("pending");

/** The answer, or `PENDING` where it does not come within so many turns. */
export async function within<T>(turns: number, answer: Promise<T>): Promise<T | typeof PENDING> {
  for (let turn = 0; turn < turns; turn++) {
    const first = await Promise.race([answer, nextTurn()]);
    if (first !== PENDING) return first;
  }
  answer.catch(() => undefined);
  return PENDING;
}

export async function pause(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
}

function nextTurn(): Promise<typeof PENDING> {
  return new Promise((resolve) => {
    setImmediate(() => resolve(PENDING));
  });
}
