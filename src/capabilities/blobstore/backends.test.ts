// Every blob store through the conformance suite: NATS is a real server, S3 the small server s3rver. It does
// not check signatures of version 4, so those are held to AWS's published example.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AwsV4Signer } from "aws4fetch";
import S3rver from "s3rver";
import { startNats } from "../../../test/services.ts";
import { StarlaneError } from "../../base/errors.ts";
import { blobConformance } from "./conformance.ts";
import { openBlobStore } from "./open.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-blobs-"));
after(() => rmSync(folder, { recursive: true }));

blobConformance("memory", { volatile: true, open: () => openBlobStore("memory:", { folder }) });
blobConformance("folder", { open: (name) => openBlobStore(`folder:./in/${name}`, { folder }) });

const nats = await startNats();
blobConformance("NATS", {
  missing: nats.missing,
  open: (name) => openBlobStore(`nats://127.0.0.1:${nats.port}/${name}`, { folder }),
});

const buckets = Array.from({ length: 12 }, (_, i) => ({ name: `c${i}`, configs: [] }));
const s3 = new S3rver({ port: 0, address: "127.0.0.1", silent: true, directory: join(folder, "s3"), configureBuckets: buckets });
const { port } = await s3.run();
after(() => s3.close());
const s3Address = (name: string, user = "S3RVER:S3RVER"): string => `s3://${user}@${name}?endpoint=http://127.0.0.1:${port}`;
blobConformance("S3", {
  open: (name) => openBlobStore(s3Address(name), { folder }),
  // In an address, parts of . and .. are resolved away before anybody could see them.
  without: ["../out", "x/../../y", ".", "z/.."],
  untested: ["/absolute", "double//slash", "\0nul"],
});

test("S3: credentials that are refused or missing are told, and no error repeats the secret", async () => {
  await assert.rejects(openBlobStore(s3Address("c0", "NOBODY:my-secret"), { folder }), (error) => {
    assert.ok(error instanceof StarlaneError);
    assert.equal(error.code, "resource/unavailable");
    assert.doesNotMatch(`${error.message} ${String(error.cause)} ${JSON.stringify(error)}`, /my-secret/);
    return true;
  });
  const anonymous = `s3://c0?endpoint=http://127.0.0.1:${port}`;
  await assert.rejects(openBlobStore(anonymous, { folder }), /has no credentials/);
  const environment = (name: string): string => ({ AWS_ACCESS_KEY_ID: "S3RVER", AWS_SECRET_ACCESS_KEY: "S3RVER" })[name] ?? "";
  await (await openBlobStore(anonymous, { folder, environment })).close();
});

test("S3: requests are signed as in AWS's published example", async () => {
  // Amazon S3 API Reference, "Examples of the complete Version 4 signing process", GET Object.
  const signer = new AwsV4Signer({
    url: "https://examplebucket.s3.amazonaws.com/test.txt",
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    service: "s3",
    region: "us-east-1",
    datetime: "20130524T000000Z",
    headers: {
      range: "bytes=0-9",
      "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    },
    allHeaders: true,
  });
  assert.equal(await signer.signature(), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
});

test("folder: symbolic links are neither followed nor listed", async () => {
  const [inside, outside] = [join(folder, "linked"), join(folder, "secret")];
  mkdirSync(inside);
  mkdirSync(outside);
  writeFileSync(join(outside, "a.txt"), "secret");
  symlinkSync(outside, join(inside, "away"));
  symlinkSync(join(outside, "a.txt"), join(inside, "b.txt"));
  const store = await openBlobStore("folder:./linked", { folder });
  for (const name of ["away/a.txt", "b.txt"]) {
    assert.equal(await store.info(name), undefined);
    assert.equal(await store.read(name, 0, 10), undefined);
  }
  await assert.rejects(store.write("away/new.txt", [new Uint8Array(1)]), /resource|folder/);
  await store.delete(["away/a.txt"]);
  assert.deepEqual(readdirSync(outside), ["a.txt"]);
  assert.deepEqual((await store.list(undefined, 10)).names, []);
  await store.write("b.txt", [new Uint8Array(1)]);
  assert.equal((await store.info("b.txt"))?.sizeBytes, 1);
});

test("folder: an object cannot be named like the folder of another, and is not lost", async () => {
  const store = await openBlobStore("folder:./nested", { folder });
  await store.write("a/b", [new Uint8Array(1)]);
  const isRejected = (error: unknown): boolean => error instanceof StarlaneError && error.code === "resource/rejected";
  await assert.rejects(store.write("a", [new Uint8Array(2)]), isRejected);
  await store.write("c", [new Uint8Array(3)]);
  await assert.rejects(store.write("c/d", [new Uint8Array(4)]), isRejected);
  assert.deepEqual((await store.list(undefined, 10)).names, ["a/b", "c"]);
});
