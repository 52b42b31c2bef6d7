import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StarlaneError } from "../../base/errors.ts";
import { parseBlobStoreAddress } from "../blobstore/blobstore.ts";
import { parseKeyValueAddress } from "../keyvalue/keyvalue.ts";
import { parseMessagingAddress } from "../messaging/messaging.ts";
import { parseSqlAddress } from "../sql/sql.ts";

const PARSERS = [parseKeyValueAddress, parseBlobStoreAddress, parseMessagingAddress, parseSqlAddress];

test("addresses say which backend, where, and under which name", () => {
  assert.deepEqual(parseKeyValueAddress("memory:"), { kind: "memory" });
  assert.deepEqual(parseKeyValueAddress("sqlite:./data/a b.db?bucket=links"), {
    kind: "sqlite",
    path: "./data/a b.db",
    bucket: "links",
  });
  const redis = parseKeyValueAddress("rediss://user:p%40ss@[::1]:6380/3?prefix=a:");
  assert.ok(redis.kind === "redis");
  assert.deepEqual([redis.database, redis.prefix], [3, "a:"]);
  assert.deepEqual(
    [redis.server.host, redis.server.port, redis.server.user, redis.server.password],
    ["[::1]", 6380, "user", "p@ss"],
  );
  const s3 = parseBlobStoreAddress("s3://pictures?region=eu-west-1");
  assert.ok(s3.kind === "s3");
  assert.equal(s3.endpoint.href, "https://s3.eu-west-1.amazonaws.com/");
  assert.deepEqual(parseSqlAddress("memory:"), { kind: "sqlite", path: ":memory:", allowRecursion: false });
  assert.deepEqual(parseSqlAddress("sqlite:a.db?recursion=allow"), { kind: "sqlite", path: "a.db", allowRecursion: true });
  assert.deepEqual(parseMessagingAddress("sqlite:a.db"), { kind: "sqlite", path: "a.db", name: "default" });
});

test("what is wrong with an address is said, with how to write one", () => {
  const wrong: readonly [parse: (text: string) => unknown, text: string, message: RegExp][] = [
    [parseKeyValueAddress, "cache.db", /the address of a key-value store has no scheme/],
    [parseKeyValueAddress, "mysql://host/db", /has the scheme mysql:, which is none of this kind/],
    [parseKeyValueAddress, "memory:x", /has something behind memory:/],
    [parseKeyValueAddress, "sqlite:", /names no file or folder/],
    [parseKeyValueAddress, "sqlite:///x", /has two slashes before a path/],
    [parseKeyValueAddress, "nats:host/bucket", /has no \/\/ before the host/],
    [parseKeyValueAddress, "nats://host", /names nothing behind the host/],
    [parseKeyValueAddress, "nats://host/a.b", /1 to 64 letters, digits, _ and -/],
    [parseKeyValueAddress, "redis://host/x", /not the number of a Redis database/],
    [parseKeyValueAddress, "redis://host:99999/", /has a port that does not exist/],
    [parseKeyValueAddress, "redis://:x", /has no host, or one that is malformed/],
    [parseKeyValueAddress, "redis://h?tls=1", /has the option tls, which it does not know \(there are: prefix\)/],
    [parseKeyValueAddress, "redis://h?prefix=a&prefix=b", /has the option prefix twice/],
    [parseBlobStoreAddress, "s3://b?endpoint=file:///etc", /has an endpoint that is no http or https address/],
    [parseBlobStoreAddress, "s3://b/key", /has a path, which it does not take/],
    [parseMessagingAddress, "redis://host", /the address of a message broker/],
    [parseSqlAddress, "postgres://h", /names nothing behind the host/],
    [parseSqlAddress, "sqlite:a\n.db", /contains a control character/],
  ];
  for (const [parse, text, message] of wrong) {
    assert.throws(
      () => parse(text),
      (error) => {
        assert.ok(error instanceof StarlaneError);
        assert.equal(error.code, "resource/bad-address");
        assert.match(error.message, message);
        assert.match(error.cure ?? "", /^write it as one of: /);
        return true;
      },
    );
  }
});

test("no error repeats what may be a password, and nothing but our errors comes out", () => {
  const pieces = fc.constantFrom(
    "nats://",
    "redis://",
    "postgres://",
    "s3://",
    "sqlite:",
    "user:",
    "@",
    "host",
    ":4222",
    "/",
    "?",
    "=",
    "%",
    "&",
    "[",
    "x",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), fc.nat(11), (parts, at) => {
      const secret = "SeCrEt77";
      const text = [...parts.slice(0, at), secret, ...parts.slice(at)].join("");
      for (const parse of PARSERS) {
        try {
          parse(text);
        } catch (error) {
          assert.ok(error instanceof StarlaneError, String(error));
          assert.ok(!JSON.stringify(error).includes(secret), JSON.stringify(error));
        }
      }
    }),
  );
});
