// Opens a key-value store by its address. Libraries of servers are loaded only where they are used.

import { type KeyValueSettings, type KeyValueStore, parseKeyValueAddress } from "./keyvalue.ts";
import { memoryKeyValue } from "./memory.ts";

/** @throws StarlaneError `resource/bad-address`, `resource/unavailable` (rejects) */
export async function openKeyValue(address: string, settings: KeyValueSettings): Promise<KeyValueStore> {
  const place = parseKeyValueAddress(address);
  switch (place.kind) {
    case "memory":
      return memoryKeyValue(settings);
    case "sqlite":
      return (await import("./sqlite.ts")).sqliteKeyValue(place.path, place.bucket, settings);
    case "nats":
      return await (await import("./nats.ts")).natsKeyValue(place.server, place.bucket, settings);
    case "redis":
      return await (await import("./redis.ts")).redisKeyValue(place, settings);
    case "postgres":
      return await (await import("./postgres.ts")).postgresKeyValue(place.server, place.bucket, settings);
  }
}
