// Connections to Postgres: opened lazily by the backends that use it; a pool that reconnects by itself.

import postgres from "postgres";
import type { Address } from "./address.ts";
import { unavailable } from "./resource.ts";

export type Postgres = postgres.Sql;

const CONNECT_SECONDS = 5;

export interface PostgresSettings {
  readonly connections: number;
  /** Connections are reserved for one user at a time. */
  readonly reserves?: boolean;
  /** Parameters are texts, sent as they are, and times are in UTC. */
  readonly asText?: boolean;
}

const TEXT_SETTINGS = { TimeZone: "UTC", DateStyle: "ISO", IntervalStyle: "iso_8601", bytea_output: "hex" };

const same = { serialize: (text: unknown) => text, parse: (text: unknown) => text };

/** The types that the library would turn into JS values, and back, by their numbers in Postgres' catalog. */
const TEXT_TYPES = {
  number: { to: 0, from: [20, 21, 23, 26, 700, 701], ...same },
  json: { to: 114, from: [114, 3802], ...same },
  boolean: { to: 16, from: [16], ...same },
  date: { to: 1184, from: [1082, 1114, 1184], ...same },
  bytea: { to: 17, from: [17], ...same },
};

/** Opens a pool and sees that the server answers. @throws StarlaneError `resource/unavailable` (rejects) */
export async function connectPostgres(
  server: Address,
  { connections, reserves = false, asText = false }: PostgresSettings,
): Promise<Postgres> {
  const pool = postgres({
    host: server.host.replace(/^\[|\]$/g, ""),
    port: server.port ?? 5432,
    database: server.path,
    username: server.user ?? "postgres",
    password: server.password,
    ssl: sslOf(server.options.get("ssl")),
    max: connections,
    connect_timeout: CONNECT_SECONDS,
    onnotice: () => undefined,
    // A round trip for types that nobody asks for; but without it, a connection that is opened to be reserved is never handed out.
    fetch_types: reserves,
    connection: { application_name: "starlane", ...(asText ? TEXT_SETTINGS : {}) },
    ...(asText ? { types: TEXT_TYPES } : {}),
  });
  try {
    await pool`SELECT 1`;
    return pool;
  } catch (error) {
    await pool.end({ timeout: 0 });
    throw unavailable("the Postgres server", error);
  }
}

function sslOf(option: string | undefined): "require" | "verify-full" | false {
  return option === "require" || option === "verify-full" ? option : false;
}

/** The SQLSTATE of an error that the server answered with. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return error.name === "PostgresError" ? error.code : undefined;
}
