// `setImmediate` in a browser, for tests; the sources get none. A task of its own, without the delay that nested timeouts get.

export function setImmediate(callback: (...args: unknown[]) => void, ...args: unknown[]): void {
  const { port1, port2 } = new MessageChannel();
  port1.addEventListener("message", () => {
    port1.close();
    callback(...args);
  });
  port1.start();
  port2.postMessage(undefined);
}
