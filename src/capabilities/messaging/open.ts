// Opens a message broker by its address.

import { memoryBroker } from "./memory.ts";
import { type MessageBroker, type MessagingSettings, parseMessagingAddress } from "./messaging.ts";

/** @throws StarlaneError `resource/bad-address`, `resource/unavailable` (rejects) */
export async function openMessaging(address: string, settings: MessagingSettings): Promise<MessageBroker> {
  const place = parseMessagingAddress(address);
  switch (place.kind) {
    case "memory":
      return memoryBroker();
    case "sqlite":
      return (await import("./sqlite.ts")).sqliteBroker(place.path, place.name, settings);
    case "nats":
      return await (await import("./nats.ts")).natsBroker(place.server, place.stream);
  }
}
