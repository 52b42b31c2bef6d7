// Every key-value backend through the conformance suite; servers are real ones.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Service, startNats, startPostgres, startRedis } from "../../../test/services.ts";
import { StarlaneError } from "../../base/errors.ts";
import { keyValueConformance } from "./conformance.ts";
import { openKeyValue } from "./open.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-keyvalue-"));
after(() => rmSync(folder, { recursive: true }));

keyValueConformance("memory", {
  volatile: true,
  open: (_name, settings) => openKeyValue("memory:", { folder, ...settings }),
});

keyValueConformance("SQLite", {
  open: (name, settings) => openKeyValue(`sqlite:./deep/er/store.db?bucket=${name}`, { folder, ...settings }),
});

const nats = await startNats();
keyValueConformance("NATS", {
  missing: nats.missing,
  open: (name, settings) => openKeyValue(`nats://127.0.0.1:${nats.port}/${name}`, { folder, ...settings }),
});

const redis = await startRedis();
keyValueConformance("Redis", {
  missing: redis.missing,
  expiresByItself: true,
  open: (name, settings) => openKeyValue(`redis://127.0.0.1:${redis.port}/1?prefix=${name}*:`, { folder, ...settings }),
});

const postgres = await startPostgres();
keyValueConformance("Postgres", {
  missing: postgres.missing,
  open: (name, settings) =>
    openKeyValue(`postgres://postgres@127.0.0.1:${postgres.port}/postgres?bucket=${name}`, { folder, ...settings }),
});

const SERVERS: readonly [name: string, service: Service, address: string][] = [
  ["Redis", redis, `redis://127.0.0.1:${redis.port}`],
  ["Postgres", postgres, `postgres://postgres@127.0.0.1:${postgres.port}/postgres`],
  ["NATS", nats, `nats://127.0.0.1:${nats.port}/gone`],
];

for (const [name, service, address] of SERVERS) {
  test(
    `${name}: while the server is gone calls fail as unavailable, and when it is back they go on`,
    {
      skip: service.missing ?? false,
    },
    async () => {
      const store = await openKeyValue(address, { folder });
      const isUnavailable = (error: unknown): boolean => error instanceof StarlaneError && error.code === "resource/unavailable";
      try {
        await store.set("a", Uint8Array.of(1));
        await service.kill();
        await assert.rejects(async () => await store.get("a"), isUnavailable);
        await assert.rejects(openKeyValue(address, { folder }), isUnavailable);
        await service.start();
        let value: Uint8Array | undefined;
        while (value === undefined) value = await Promise.resolve(store.get("a")).catch(() => undefined);
        assert.deepEqual([...value], [1]);
      } finally {
        await store.close();
      }
    },
  );
}
