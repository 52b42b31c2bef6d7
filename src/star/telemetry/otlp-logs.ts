// Log records on their way to a collector: names by the semantic conventions where they have one, secrets masked.

import { type Attributes, type Logger, ROOT_CONTEXT, SeverityNumber, trace } from "@opentelemetry/api";
import { type Log, loggedError, type LogLevel, type LogRecord } from "../../base/log.ts";
import type { Mask } from "./otlp-spans.ts";

const SEVERITIES: Readonly<Record<LogLevel, SeverityNumber>> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  critical: SeverityNumber.FATAL,
};

export function otlpLog(logger: Logger, mask: Mask): Log {
  return (record) => {
    const { level, message, timeMs = Date.now(), traceId, spanId } = record;
    logger.emit({
      timestamp: timeMs,
      severityNumber: SEVERITIES[level],
      severityText: level.toUpperCase(),
      body: mask(message),
      attributes: attributesOf(record, mask),
      context:
        traceId === undefined || spanId === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1 }),
    });
  };
}

function attributesOf(record: LogRecord, mask: Mask): Attributes {
  const { app, operation, node, component, stream, context, transaction, request, route, shard, value, error } = record;
  const told = error === undefined ? undefined : loggedError(error);
  const all: Record<string, string | number | undefined> = {
    "starlane.app": app,
    "starlane.operation": operation,
    "starlane.node": node,
    "starlane.component": component,
    "starlane.context": context === "" ? undefined : context,
    "starlane.transaction.id": transaction,
    "starlane.request.id": request,
    "starlane.shard": shard,
    "starlane.value": value === undefined ? undefined : JSON.stringify(value),
    "http.route": route,
    "log.iostream": stream,
    "error.type": told === undefined ? undefined : (told.code ?? "starlane/internal"),
    "exception.type": told?.code,
    "exception.message": told?.message,
    "exception.stacktrace": told?.stack,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, part]) =>
      part === undefined ? [] : [[name, typeof part === "string" ? mask(part) : part] as const],
    ),
  );
}
