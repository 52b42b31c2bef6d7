// Telemetry of a command: configured by the environment, told of what the command runs, sent before the command ends.

import type { Log } from "../base/log.ts";
import type { LoadedComponent } from "../star/app.ts";
import { secretMask } from "../star/record/secret-texts.ts";
import type { Loaded } from "../star/star.ts";
import { type Exporting, startExporting } from "../star/telemetry/start.ts";
import type { MetricSources } from "../star/telemetry/metric-sources.ts";
import { packageVersion } from "../star/version-of-code.ts";

/** How long what is left may take to be sent when a command ends. */
const FLUSH_MS = 3000;
const LEAVE_MS = 300;

/** Undefined: the environment does not ask for it. @throws StarlaneError `telemetry/bad-setting` (rejects) */
export async function exportOf(loaded: readonly Loaded[], metrics: MetricSources, log: Log): Promise<Exporting | undefined> {
  const targets = loaded.map(({ target }) => target);
  const [only] = targets;
  return await startExporting(process.env, {
    service: targets.length === 1 && only !== undefined ? only.name : "starlane",
    serviceVersion: targets.length === 1 && only !== undefined ? versionOf(only) : undefined,
    version: packageVersion(),
    mask: secretMask(new Set(loaded.flatMap(({ secrets }) => [...secrets]))),
    log,
    metrics,
  });
}

function versionOf(target: LoadedComponent): string | undefined {
  return target.kind === "app" ? target.manifest.version : undefined;
}

/** Sends what is left. A collector that does not answer must not hold the process up: it then ends with the status it has. */
export async function endExport(exporting: Exporting | undefined): Promise<void> {
  if (exporting === undefined || (await exporting.end(FLUSH_MS))) return;
  // What still tries to send would go on for seconds; what the command itself has to say is said by then.
  setTimeout(() => process.exit(), LEAVE_MS).unref();
}
