// `node:events` in a browser: who listens to an `EventTarget`, which browsers do not tell. From the import of this module on, listeners
// are counted as they come and go.

interface Listening {
  readonly type: string;
  readonly listener: unknown;
  readonly capture: boolean;
}

const listening = new WeakMap<EventTarget, Listening[]>();
const { addEventListener, removeEventListener } = EventTarget.prototype;

type Listener = EventListenerOrEventListenerObject | null;

EventTarget.prototype.addEventListener = function add(
  type: string,
  listener: Listener,
  options?: boolean | AddEventListenerOptions,
): void {
  addEventListener.call(this, type, listener, options);
  const { capture = false, once = false, signal } = typeof options === "object" ? options : { capture: options ?? false };
  const all = listening.get(this) ?? [];
  listening.set(this, all);
  const remove = (): void => forget(this, type, listener, capture);
  if (listener === null || signal?.aborted === true || indexOf(all, type, listener, capture) >= 0) return;
  all.push({ type, listener, capture });
  if (once) addEventListener.call(this, type, remove, { once: true, capture });
  if (signal !== undefined) addEventListener.call(signal, "abort", remove, { once: true });
};

EventTarget.prototype.removeEventListener = function remove(
  type: string,
  listener: Listener,
  options?: boolean | EventListenerOptions,
): void {
  removeEventListener.call(this, type, listener, options);
  forget(this, type, listener, typeof options === "object" ? (options.capture ?? false) : (options ?? false));
};

function indexOf(all: readonly Listening[], type: string, listener: unknown, capture: boolean): number {
  return all.findIndex((one) => one.type === type && one.listener === listener && one.capture === capture);
}

function forget(target: EventTarget, type: string, listener: unknown, capture: boolean): void {
  const all = listening.get(target) ?? [];
  const index = indexOf(all, type, listener, capture);
  if (index >= 0) all.splice(index, 1);
}

export function getEventListeners(target: EventTarget, type: string): unknown[] {
  return (listening.get(target) ?? []).filter((one) => one.type === type).map(({ listener }) => listener);
}
