// Takes turns on one thread: a guest that computes for long is suspended after each slice, and goes on when everything else on this thread
// had as much time as it took, or wants none.

/** How a macrotask is waited for: everything else that is ready on this thread runs first. */
const nextMacrotask: (run: () => void) => void = macrotasks();

/** For so long after something else ran, it may want to run again: an answer has to come back over the network first. */
const RECENT_MS = 5;
/** An empty round of the event loop takes less. */
const EMPTY_ROUND_MS = 0.05;
/** The longest that one slice makes its guest wait: it may have waited for the host meanwhile. */
const LONGEST_WAIT_MS = 20;
/** Taking turns costs time too, which is not to be the others'. */
const WAIT_FACTOR = 1.25;

interface Waiting {
  readonly since: number;
  readonly waitMs: number;
  readonly go: () => void;
}

const waiting: Waiting[] = [];
let activity = 0;
let seen = 0;
let lastLook = 0;
let lastActive = -Infinity;
let isLooking = false;

/** A transaction began or ended: somebody else uses this thread. */
export function noteActivity(): void {
  activity++;
}

/** The next turn of somebody who ran for `ranMs`: calls back when it is there. */
export function nextTurn(ranMs: number, go: () => void): void {
  lastLook = performance.now();
  waiting.push({ since: lastLook, waitMs: Math.min(ranMs * WAIT_FACTOR, LONGEST_WAIT_MS), go });
  if (isLooking) return;
  isLooking = true;
  nextMacrotask(look);
}

/** One goes on at a time, the first that came: the others wait for their turn behind it. */
function look(): void {
  const now = performance.now();
  if (activity !== seen || now - lastLook > EMPTY_ROUND_MS) lastActive = now;
  seen = activity;
  lastLook = now;
  const [first] = waiting;
  if (first !== undefined && (now - lastActive > RECENT_MS || now - first.since >= first.waitMs)) {
    waiting.shift();
    first.go();
  }
  isLooking = waiting.length > 0;
  if (isLooking) nextMacrotask(look);
}

interface MessagePorts {
  readonly port1: { onmessage: (() => void) | null };
  readonly port2: { postMessage(message: unknown): void };
}

/** Node's own where there is one: a message channel would keep the process alive. */
function macrotasks(): (run: () => void) => void {
  const { setImmediate, MessageChannel } = globalThis as {
    setImmediate?: (run: () => void) => unknown;
    MessageChannel?: new () => MessagePorts;
  };
  if (setImmediate !== undefined) return (run) => void setImmediate(run);
  if (MessageChannel === undefined) return (run) => void setTimeout(run, 0);
  const { port1, port2 } = new MessageChannel();
  const runs: (() => void)[] = [];
  port1.onmessage = () => runs.shift()?.();
  return (run) => {
    runs.push(run);
    port2.postMessage(undefined);
  };
}
