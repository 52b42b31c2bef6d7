// Who listens to the live messages of a broker inside this process.

import { checkTopic, type Hear, LARGEST_MESSAGE_BYTES } from "./messaging.ts";
import { overLimit } from "../resources/resource.ts";

export class Listeners {
  readonly #topics = new Map<string, Set<Hear>>();

  /** Tells everybody in a microtask of its own: nobody is called from within `send`. @throws StarlaneError `resource/limit` */
  send(topic: string, data: Uint8Array): void {
    checkLiveMessage(topic, data);
    for (const hear of this.#topics.get(topic) ?? []) {
      const copy = data.slice();
      queueMicrotask(() => {
        if (this.#topics.get(topic)?.has(hear) === true) hear(copy);
      });
    }
  }

  /** Gives the function that stops it. @throws StarlaneError `resource/limit` */
  listen(topic: string, hear: Hear): () => void {
    checkTopic(topic);
    const all = this.#topics.get(topic) ?? new Set<Hear>();
    this.#topics.set(topic, all);
    all.add(hear);
    return () => {
      all.delete(hear);
      if (all.size === 0 && this.#topics.get(topic) === all) this.#topics.delete(topic);
    };
  }
}

/** @throws StarlaneError `resource/limit` */
export function checkLiveMessage(topic: string, data: Uint8Array): void {
  checkTopic(topic);
  if (data.length > LARGEST_MESSAGE_BYTES) throw overLimit(`a message has ${data.length} bytes`, LARGEST_MESSAGE_BYTES);
}
