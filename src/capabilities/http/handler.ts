// Which exports of a component answer HTTP requests: `wasi:http/handler` of 0.3 and `wasi:http/incoming-handler` of 0.2.

/** An exported handler, by the name that `call` takes. */
export interface HttpHandler {
  readonly version: "0.2" | "0.3";
  readonly name: string;
}

const HANDLER_03 = /^wasi:http\/handler@0\.3\.\d+#handle$/;
const HANDLER_02 = /^wasi:http\/incoming-handler@0\.2\.\d+#handle$/;

/** What a component exports to be served, among the names of its functions; 0.3 where it has both. */
export function httpHandlerOf(functions: Iterable<string>): HttpHandler | undefined {
  const names = [...functions];
  const newer = names.find((name) => HANDLER_03.test(name));
  if (newer !== undefined) return { version: "0.3", name: newer };
  const older = names.find((name) => HANDLER_02.test(name));
  return older === undefined ? undefined : { version: "0.2", name: older };
}
