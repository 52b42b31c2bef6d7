// Every blob store through the conformance suite: NATS is a real server, S3 the small server s3rver. That does not check signatures of
// version 4, so what stands before it does; and how they are made and checked is held to AWS's published examples.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AwsV4Signer } from "aws4fetch";
import S3rver from "s3rver";
import { startNats } from "../../../test/services.ts";
import { StarlaneError } from "../../base/errors.ts";
import { blobConformance } from "./conformance.ts";
import { signatureOf, verifyingProxy } from "./fixtures/verifying-proxy.ts";
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
const verifying = await verifyingProxy(port, { S3RVER: "S3RVER" });
after(async () => {
  verifying.close();
  await s3.close();
});
const s3Address = (name: string, user = "S3RVER:S3RVER"): string =>
  `s3://${user}@${name}?endpoint=http://127.0.0.1:${verifying.port}`;
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
  const anonymous = `s3://c0?endpoint=http://127.0.0.1:${verifying.port}`;
  await assert.rejects(openBlobStore(anonymous, { folder }), /has no credentials/);
  const environment = (name: string): string => ({ AWS_ACCESS_KEY_ID: "S3RVER", AWS_SECRET_ACCESS_KEY: "S3RVER" })[name] ?? "";
  await (await openBlobStore(anonymous, { folder, environment })).close();
});

// Amazon S3 API Reference, "Examples: Signature Calculations"; the key, time and place are the same for all.
const PUBLISHED = [
  ["GET", "/test.txt", { range: "bytes=0-9" }, "", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"],
  [
    "PUT",
    "/test%24file.text",
    { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
    "Welcome to Amazon S3.",
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  ],
  ["GET", "/?lifecycle", {}, "", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"],
  ["GET", "/?max-keys=2&prefix=J", {}, "", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"],
] as const;

/** AWS's test suite for Signature Version 4, of requests that have `host` and `x-amz-date` only. */
const SUITE = [
  ["GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
  ["POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
  ["GET", "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"],
  ["GET", "/?Param1=value1", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"],
  [
    "GET",
    "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
  ],
] as const;
const EMPTY = createHash("sha256").update("").digest("hex");

test("S3: requests are signed, and signatures checked, as in AWS's published examples", async () => {
  for (const [method, target, more, body, expected] of PUBLISHED) {
    const secretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const signer = new AwsV4Signer({
      method,
      url: `https://examplebucket.s3.amazonaws.com${target}`,
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey,
      service: "s3",
      region: "us-east-1",
      datetime: "20130524T000000Z",
      headers: { ...more, "x-amz-content-sha256": createHash("sha256").update(body).digest("hex") },
      allHeaders: true,
    });
    assert.equal(await signer.signature(), expected, target);
    const { headers } = await signer.sign();
    const sent = { ...Object.fromEntries(headers), host: "examplebucket.s3.amazonaws.com" };
    assert.equal(signatureOf({ method, target, headers: sent }, secretAccessKey), expected, target);
  }
});

test("S3: requests are signed, and signatures checked, as in AWS's test suite", async () => {
  for (const [method, target, expected] of SUITE) {
    const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const signer = new AwsV4Signer({
      method,
      url: `https://example.amazonaws.com${target}`,
      accessKeyId: "AKIDEXAMPLE",
      secretAccessKey,
      service: "service",
      region: "us-east-1",
      datetime: "20150830T123600Z",
    });
    assert.equal(await signer.signature(), expected, target);
    const { headers } = await signer.sign();
    const sent = { ...Object.fromEntries(headers), host: "example.amazonaws.com" };
    assert.equal(signatureOf({ method, target, headers: sent }, secretAccessKey, EMPTY), expected, target);
  }
});

test("S3: a request that was not signed with the secret of its key, or for another place, is refused", async () => {
  const before = verifying.refused.length;
  await assert.rejects(openBlobStore(s3Address("c0", "S3RVER:guessed"), { folder }), { code: "resource/unavailable" });
  assert.match(verifying.refused[before] ?? "", /^SignatureDoesNotMatch: GET \/c0/);
  assert.ok(verifying.passed() > 50, "what was done before was signed well");
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
