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
  if (listener === null || signal?.aborted === true || all.some((one) => isSame(one, type, listener, capture))) return;
  const added = { type, listener, capture };
  all.push(added);
  const remove = (): void => forget(all, (one) => one === added);
  if (once) addEventListener.call(this, type, remove, { once: true, capture });
  if (signal !== undefined) addEventListener.call(signal, "abort", remove, { once: true });
};

EventTarget.prototype.removeEventListener = function remove(
  type: string,
  listener: Listener,
  options?: boolean | EventListenerOptions,
): void {
  removeEventListener.call(this, type, listener, options);
  const capture = typeof options === "object" ? (options.capture ?? false) : (options ?? false);
  forget(listening.get(this) ?? [], (one) => isSame(one, type, listener, capture));
};

function isSame(one: Listening, type: string, listener: unknown, capture: boolean): boolean {
  return one.type === type && one.listener === listener && one.capture === capture;
}

function forget(all: Listening[], test: (one: Listening) => boolean): void {
  const index = all.findIndex(test);
  if (index >= 0) all.splice(index, 1);
}

export function getEventListeners(target: EventTarget, type: string): unknown[] {
  return (listening.get(target) ?? []).filter((one) => one.type === type).map(({ listener }) => listener);
}
