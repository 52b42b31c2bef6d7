// A blob store in a bucket of S3, or of a service that speaks its protocol (path-style addresses). Requests are signed with
// Signature Version 4. Objects of unknown length are uploaded in parts of 8 MiB.

import { AwsClient } from "aws4fetch";
import { StarlaneError } from "../../base/errors.ts";
import { reaching, unavailable } from "../resources/resource.ts";
import {
  type BlobAddress,
  type BlobBody,
  type BlobBytes,
  type BlobInfo,
  type BlobSettings,
  type BlobStore,
  checkName,
  LARGEST_PAGE_NAMES,
  type NamePage,
} from "./blobstore.ts";
import { read as readXml } from "./s3-answers.ts";

const RESOURCE = "the blob store in S3";
const PART_BYTES = 8 << 20;
const DELETES_AT_ONCE = 16;
const RETRIES = 2;
const ANSWER_MS = 30_000;

export type S3Place = Extract<BlobAddress, { kind: "s3" }>;

/** Looks whether the bucket answers. @throws StarlaneError `resource/unavailable`, `resource/bad-address` (rejects) */
export async function s3Blobs(place: S3Place, settings: BlobSettings): Promise<BlobStore> {
  const store = new S3Blobs(place, clientOf(place, settings.environment));
  await store.list(undefined, 1);
  return store;
}

function clientOf({ server, region }: S3Place, environment: BlobSettings["environment"]): AwsClient {
  const accessKeyId = server.user ?? environment?.("AWS_ACCESS_KEY_ID");
  const secretAccessKey = server.password ?? environment?.("AWS_SECRET_ACCESS_KEY");
  const sessionToken = (server.user === undefined ? environment?.("AWS_SESSION_TOKEN") : undefined) ?? "";
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new StarlaneError("resource/bad-address", "a blob store in S3 has no credentials", {
      cure: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
    });
  }
  const session = sessionToken === "" ? {} : { sessionToken };
  return new AwsClient({ accessKeyId, secretAccessKey, ...session, service: "s3", region, retries: RETRIES });
}

class S3Blobs implements BlobStore {
  readonly #base: string;
  readonly #client: AwsClient;

  constructor({ endpoint, bucket }: S3Place, client: AwsClient) {
    this.#base = `${endpoint.href.replace(/\/$/, "")}/${bucket}`;
    this.#client = client;
  }

  /** S3 tells this only to those who may list all buckets. */
  createdMs(): number {
    return 0;
  }

  async info(name: string): Promise<BlobInfo | undefined> {
    const answer = await this.#send("HEAD", this.#object(name), { missing: true });
    if (answer.status === 404) return undefined;
    return {
      sizeBytes: Number(answer.headers.get("content-length") ?? 0),
      createdMs: Date.parse(answer.headers.get("last-modified") ?? "") || 0,
    };
  }

  async read(name: string, start: number, end: number): Promise<BlobBody | undefined> {
    const info = await this.info(name);
    if (info === undefined) return undefined;
    const last = Math.min(end, info.sizeBytes) - 1;
    if (start > last) return { sizeBytes: 0, bytes: [] };
    const answer = await this.#send("GET", this.#object(name), { missing: true, headers: { range: `bytes=${start}-${last}` } });
    if (answer.status === 404) return undefined;
    // Not every service knows ranges.
    const skipped = answer.status === 206 ? 0 : start;
    const sizeBytes = last + 1 - start;
    return { sizeBytes, bytes: answer.body === null ? [] : chunks(answer.body, skipped, sizeBytes) };
  }

  async write(name: string, bytes: BlobBytes, signal?: AbortSignal): Promise<void> {
    const url = this.#object(name);
    let upload: string | undefined;
    const tags: string[] = [];
    try {
      for await (const { part, isLast } of parts(bytes)) {
        signal?.throwIfAborted();
        if (isLast && upload === undefined) {
          await this.#finish(await this.#send("PUT", url, { body: part }));
          return;
        }
        upload ??=
          readXml(await (await this.#send("POST", `${url}?uploads=`)).text(), "UploadId") ?? failed("no upload was begun");
        const query = `partNumber=${tags.length + 1}&uploadId=${encodeURIComponent(upload)}`;
        const answer = await this.#send("PUT", `${url}?${query}`, { body: part });
        tags.push(answer.headers.get("etag") ?? "");
        await this.#finish(answer);
      }
      signal?.throwIfAborted();
      const list = tags.map(
        (tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag.replaceAll("&", "&amp;")}</ETag></Part>`,
      );
      const body = new TextEncoder().encode(`<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`);
      const answer = await this.#send("POST", `${url}?uploadId=${encodeURIComponent(upload ?? "")}`, { body });
      // This one answer can say 200 and still be an error.
      if (/<Error>/.test(await answer.text())) failed("the upload could not be completed");
    } catch (error) {
      if (upload !== undefined) await this.#abandon(url, upload);
      throw error;
    }
  }

  /** The first version of the listing: every service has it, and names are its cursors. */
  async list(cursor: string | undefined, limit: number): Promise<NamePage> {
    const query = new URLSearchParams({
      "encoding-type": "url",
      "max-keys": String(Math.max(1, Math.min(limit, LARGEST_PAGE_NAMES))),
    });
    if (cursor !== undefined) query.set("marker", cursor);
    const text = await (await this.#send("GET", `${this.#base}?${query}`)).text();
    const isEncoded = readXml(text, "EncodingType") === "url";
    const names = [...text.matchAll(/<Contents>.*?<\/Contents>/gs)].flatMap(([entry]) =>
      namesIn(readXml(entry, "Key"), isEncoded),
    );
    return { names, cursor: readXml(text, "IsTruncated") === "true" ? names.at(-1) : undefined };
  }

  async delete(names: readonly string[]): Promise<void> {
    const urls = names.map((name) => this.#object(name));
    for (let i = 0; i < urls.length; i += DELETES_AT_ONCE) {
      await Promise.all(
        urls.slice(i, i + DELETES_AT_ONCE).map(async (url) => {
          await this.#finish(await this.#send("DELETE", url, { missing: true }));
        }),
      );
    }
  }

  close(): void {}

  #object(name: string): string {
    checkName(name);
    // A part of `.` or `..` would be resolved away by every reader of addresses; `%2E` would be as well.
    const isDots = name.split("/").some((segment) => segment === "." || segment === "..");
    if (isDots) throw new StarlaneError("resource/rejected", "in S3, no part of an object's name can be . or ..");
    return `${this.#base}/${name.split("/").map(escapeSegment).join("/")}`;
  }

  async #send(
    method: string,
    url: string,
    { body, headers, missing }: { body?: Uint8Array; headers?: Record<string, string>; missing?: boolean } = {},
  ): Promise<Response> {
    return await reaching(RESOURCE, async () => {
      // Only the answer's head has to come in time: its body may be as long as it is.
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), ANSWER_MS);
      const request = this.#client.fetch(url, {
        method,
        ...(headers === undefined ? {} : { headers }),
        ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
        signal: late.signal,
      });
      const answer = await request.finally(() => clearTimeout(timer));
      if (answer.ok || (missing === true && answer.status === 404)) return answer;
      const code = readXml(await answer.text(), "Code") ?? "";
      throw unavailable(RESOURCE, new Error(`${method} was answered with ${answer.status} ${code}`));
    });
  }

  async #finish(answer: Response): Promise<void> {
    await answer.body?.cancel();
  }

  async #abandon(url: string, upload: string): Promise<void> {
    await this.#send("DELETE", `${url}?uploadId=${encodeURIComponent(upload)}`, { missing: true }).catch(() => undefined);
  }
}

function escapeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Names are asked for in percent-encoding, because XML cannot hold every character; not every service does that. */
function namesIn(key: string | undefined, isEncoded: boolean): string[] {
  if (key === undefined) return [];
  if (!isEncoded) return [key];
  try {
    return [decodeURIComponent(key.replaceAll("+", " "))];
  } catch {
    return [];
  }
}

function failed(what: string): never {
  throw unavailable(RESOURCE, new Error(what));
}

async function* chunks(body: ReadableStream<Uint8Array>, skipped: number, count: number): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (let at = 0; at < skipped + count;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw unavailable(RESOURCE, cause);
      });
      if (done) return;
      const piece = value.subarray(Math.max(0, skipped - at), skipped + count - at);
      at += value.length;
      if (piece.length > 0) yield piece;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Bytes in parts of one size, the last one shorter; there is always one. */
async function* parts(bytes: BlobBytes): AsyncGenerator<{ readonly part: Uint8Array; readonly isLast: boolean }> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const piece of bytes) {
    for (let rest = piece; rest.length > 0;) {
      if (size === PART_BYTES) {
        yield { part: Buffer.concat(waiting), isLast: false };
        [waiting, size] = [[], 0];
      }
      const taken = rest.subarray(0, PART_BYTES - size);
      waiting.push(taken.slice());
      size += taken.length;
      rest = rest.subarray(taken.length);
    }
  }
  yield { part: Buffer.concat(waiting), isLast: true };
}
