// Connections to NATS: opened lazily by the backends that use it, kept up by the client.

import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { Address } from "./address.ts";
import { unavailable } from "./resource.ts";

const DEFAULT_PORT = 4222;
const CONNECT_MS = 5000;

/** @throws StarlaneError `resource/unavailable` (rejects) */
export async function connectNats(server: Address): Promise<NatsConnection> {
  try {
    return await connect({
      servers: `${server.host}:${server.port ?? DEFAULT_PORT}`,
      name: "starlane",
      timeout: CONNECT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      ...(server.user === undefined ? {} : { user: server.user }),
      ...(server.password === undefined ? {} : { pass: server.password }),
    });
  } catch (error) {
    throw unavailable("the NATS server", error);
  }
}

/** Any text as one token of a NATS subject or key: what is not harmless becomes `=` and the hexadecimal digits of its UTF-8. */
export function subjectToken(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(char) ? char : `=${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

/** The text of `subjectToken`; undefined where a token was not made by it. */
export function textOfToken(token: string): string | undefined {
  if (!/^(?:[A-Za-z0-9_-]|=[0-9a-f]{2})+$/.test(token)) return undefined;
  try {
    return decodeURIComponent(token.replaceAll("=", "%"));
  } catch {
    return undefined;
  }
}
