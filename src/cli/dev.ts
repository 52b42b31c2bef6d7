// `starlane dev`: serves apps while they are written. What changes is built, loaded and served in place of the version before; what has mistakes is
// told here, over the app's own pages, and on a page of its own, where operations can be tried.

import { StarlaneError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { History } from "../api/history.ts";
import { startApi, type Api } from "../api/server.ts";
import { stateOf } from "../api/state.ts";
import { denialLines } from "../star/denials.ts";
import { Development } from "../star/dev/development.ts";
import { secretMask } from "../star/record/secret-texts.ts";
import { ScheduleStates } from "../star/schedule-state.ts";
import { TransactionMetrics } from "../star/telemetry/transaction-metrics.ts";
import type { CommandLine } from "./command-line.ts";
import { builtDashboard } from "./dev-dashboard.ts";
import { DevOutput } from "./dev-output.ts";
import { maskOutputs } from "./masked-output.ts";

/** What runs when it is told to stop has this long to end. */
const DRAIN_MS = 30_000;
/** So do requests of a version that was replaced. */
const RETIRE_MS = 30_000;
const DASHBOARD_PORT = 7420;

export async function run(line: CommandLine): Promise<number> {
  const port = portOf(line, "port");
  const dashboardPort = portOf(line, "dashboard-port") ?? DASHBOARD_PORT;
  const output = new DevOutput();
  const secrets = new Set<string>();
  let mask = secretMask(secrets);
  const history = new History(
    (view) => {
      output.transaction(view);
      api?.sendTransaction(view);
    },
    () => mask,
  );
  const log: Log = (record) => {
    history.log(record);
    output.log(record);
  };
  let api: Api | undefined;
  using states = new ScheduleStates();
  const development = new Development({
    targets: line.positionals,
    port,
    host: line.options.get("host"),
    retireMs: RETIRE_MS,
    telemetry: { log, metrics: new TransactionMetrics(), observer: history.observer },
    log: (entry) => output.http(entry),
    schedules: { log, stateOf: (key) => states.of(key) },
    denied: denialLines((message) => log({ level: "warn", message: `denied: ${message}` })),
    onStanding: (standing) => {
      output.standing(standing, development.service);
      api?.sendState(stateOf(standing, development.service.addresses));
    },
    onChange: (paths) => output.changed(paths),
    onBuild: (event) => output.build(event),
    onLoaded: (loaded) => {
      for (const secret of loaded.flatMap((one) => [...one.secrets])) secrets.add(secret);
      mask = secretMask(secrets);
      maskOutputs(secrets);
    },
  });
  const stopped = untilStopped();
  try {
    const serving = development.start();
    // It may fail before it is waited for.
    serving.catch(() => undefined);
    api = await startApi({
      port: dashboardPort,
      page: await builtDashboard((message) => output.remark(message)),
      current: () => development.service.current,
      state: () => stateOf(development.standing, development.service.addresses),
      history,
      mask: () => mask,
      log: (message, error) => output.log({ level: "error", message, error }),
    });
    const hasStarted = await Promise.race([serving.then(() => true), stopped.then(() => false)]);
    if (hasStarted) output.started(development, api.url);
    await stopped;
    output.remark("finishing what has begun; once more stops at once");
    await api.close();
    return (await development.close(DRAIN_MS)) ? 0 : 1;
  } finally {
    await api?.close();
    await development.close(0);
  }
}

/** The first signal lets what runs finish, the second one does not. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.once("SIGINT", () => process.exit(130));
      resolve();
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });
}

function portOf({ options }: CommandLine, name: string): number | undefined {
  const text = options.get(name);
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new StarlaneError("cli/usage", `--${name} ${text} is no port`, {
    cure: "write a number from 0 to 65535; 0 takes any that is free",
  });
}
