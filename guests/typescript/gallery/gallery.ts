// A gallery in TypeScript: pictures are blobs in one container. What a picture is, its first bytes tell, not its name.
import { getContainer } from "wasi:blobstore/blobstore@0.2.0-draft";
import { IncomingValue, OutgoingValue } from "wasi:blobstore/types@0.2.0-draft";

type Format = "png" | "gif" | "jpeg" | "svg";

interface Picture {
  name: string;
  format: Format;
  width: number;
  height: number;
  size: number;
}

type Refusal = { tag: "not-a-name" | "not-a-picture" | "no-such-picture" | "store"; val: string };

/** The error of a WIT result is thrown, as the `payload` of an error. */
class Refused extends Error {
  payload: Refusal;

  constructor(tag: Refusal["tag"], val: string) {
    super(tag);
    this.payload = { tag, val };
  }
}

const CONTAINER = "pictures";
/** Enough for the size of a picture; a JPEG may have large comments in front of it. */
const HEAD_BYTES = 65_536;
/** What one write of a stream takes. */
const PART_BYTES = 4096;
const NAMES_AT_ONCE = 100;

/** What the store answers with an error becomes a refusal. */
function asked<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw new Refused("store", String((error as { payload?: unknown }).payload ?? error));
  }
}

const container = () => asked(() => getContainer(CONTAINER));

function checkName(name: string): void {
  if (!/^[A-Za-z0-9_-]{1,100}\.[A-Za-z0-9]{1,10}$/.test(name)) throw new Refused("not-a-name", name);
}

interface Sizes {
  format: Format;
  width: number;
  height: number;
}

const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function sizesOf(bytes: Uint8Array): Sizes | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 24 && ascii(bytes.subarray(0, 8)) === "\x89PNG\r\n\x1a\n") {
    return { format: "png", width: view.getUint32(16), height: view.getUint32(20) };
  }
  if (bytes.length >= 10 && /^GIF8[79]a$/.test(ascii(bytes.subarray(0, 6)))) {
    return { format: "gif", width: view.getUint16(6, true), height: view.getUint16(8, true) };
  }
  if (bytes.length >= 4 && view.getUint16(0) === 0xffd8) return jpegSizes(view);
  return svgSizes(ascii(bytes.subarray(0, 1024)));
}

/** Goes from segment to segment up to the one with the size. */
function jpegSizes(view: DataView): Sizes | undefined {
  for (let at = 2; at + 9 <= view.byteLength && view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    const kind = view.getUint8(at + 1);
    const isFrame = kind >= 0xc0 && kind <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(kind);
    if (isFrame) return { format: "jpeg", width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
  }
  return undefined;
}

function svgSizes(text: string): Sizes | undefined {
  const tag = /<svg\b[^>]*>/.exec(text)?.[0];
  if (tag === undefined) return undefined;
  const box = /viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"/.exec(tag) ?? [];
  const side = (name: string, instead: string | undefined): number =>
    Math.round(Number(new RegExp(` ${name}="([\\d.]+)(?:px)?"`).exec(tag)?.[1] ?? instead ?? 0));
  return { format: "svg", width: side("width", box[1]), height: side("height", box[2]) };
}

type Container = ReturnType<typeof getContainer>;

function read(from: Container, name: string, end: number): Uint8Array {
  return asked(() => IncomingValue.incomingValueConsumeSync(from.getData(name, 0, end)));
}

const sizeOf = (from: Container, name: string): number => Number(asked(() => from.objectInfo(name)).size);

function pictureOf(from: Container, name: string): Picture | undefined {
  const size = sizeOf(from, name);
  const sizes = sizesOf(read(from, name, Math.min(size, HEAD_BYTES)));
  return sizes === undefined ? undefined : { name, size, ...sizes };
}

function write(to: Container, name: string, data: Uint8Array): void {
  asked(() => {
    const value = OutgoingValue.newOutgoingValue();
    const body = value.outgoingValueWriteBody();
    to.writeData(name, value);
    for (let at = 0; at < data.length; at += PART_BYTES) body.blockingWriteAndFlush(data.subarray(at, at + PART_BYTES));
    body[Symbol.dispose]();
    OutgoingValue.finish(value);
  });
}

/** Other files in the container are no pictures: they are not shown. */
function all(): Picture[] {
  const from = container();
  const names: string[] = [];
  const list = asked(() => from.listObjects());
  for (let isAtEnd = false; !isAtEnd;) {
    const [some, end] = asked(() => list.readStreamObjectNames(NAMES_AT_ONCE));
    names.push(...some);
    isAtEnd = end;
  }
  return names.toSorted().flatMap((name) => pictureOf(from, name) ?? []);
}

const HTML: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => HTML[char] ?? char);

function existing(name: string): Container {
  checkName(name);
  const from = container();
  if (!asked(() => from.hasObject(name))) throw new Refused("no-such-picture", name);
  return from;
}

export const pictures = {
  add(name: string, data: Uint8Array): Picture {
    checkName(name);
    const sizes = sizesOf(data);
    if (sizes === undefined) throw new Refused("not-a-picture", name);
    write(container(), name, data);
    return { name, size: data.length, ...sizes };
  },

  get(name: string): Uint8Array {
    const from = existing(name);
    return read(from, name, sizeOf(from, name));
  },

  remove(name: string): void {
    const from = existing(name);
    asked(() => from.deleteObject(name));
  },

  listAll: all,

  page(title: string): string {
    const figures = all().map(({ name, width, height, format, size }) => {
      const image = `<img src="${escaped(name)}" width="${width}" height="${height}" alt="">`;
      return `<figure>${image}<figcaption>${escaped(name)}: ${format}, ${width} × ${height}, ${size} bytes</figcaption></figure>`;
    });
    return `<!doctype html>\n<title>${escaped(title)}</title>\n<h1>${escaped(title)}</h1>\n${figures.join("\n")}\n`;
  },
};
