// Addresses of resources as they stand in a manifest: `memory:`, `sqlite:./data/app.db?bucket=links`, `nats://host:4222/bucket`.
// Checked whole before anything is opened. Errors repeat no part of the text that may hold a password.

import { StarlaneError } from "../../base/errors.ts";

const LONGEST_ADDRESS = 4096;

/** `scheme:rest`, taken apart. */
export interface Address {
  readonly scheme: string;
  /** What stands behind the scheme in `memory:`, `sqlite:PATH` and `folder:PATH`. */
  readonly path: string;
  /** Of addresses with `//`: host and port as written. */
  readonly host: string;
  readonly port: number | undefined;
  /** Percent-decoded. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly options: ReadonlyMap<string, string>;
}

/** One way of writing an address, for `parseAddress`. */
export interface AddressForm {
  /** For messages: `nats://HOST:PORT/BUCKET`. */
  readonly example: string;
  readonly kind: "bare" | "path" | "server";
  /** Names after `?`. */
  readonly options?: readonly string[];
  /** Whether something has to stand behind the host: a bucket, a database. */
  readonly path?: "required" | "optional" | "none";
}

/** @throws StarlaneError `resource/bad-address`; `what` is the kind of resource, for people */
export function parseAddress(text: string, what: string, forms: Readonly<Record<string, AddressForm>>): Address {
  const fail = (problem: string): never => {
    throw badAddress(
      what,
      problem,
      Object.values(forms).map((form) => form.example),
    );
  };
  if (text.length > LONGEST_ADDRESS) fail(`is longer than ${LONGEST_ADDRESS} characters`);
  if (/\p{Cc}/u.test(text)) fail("contains a control character");
  const scheme = /^([a-z][a-z0-9+-]*):/.exec(text)?.[1] ?? fail("has no scheme");
  const form = Object.hasOwn(forms, scheme) ? forms[scheme] : undefined;
  if (form === undefined) return fail(`has the scheme ${scheme}:, which is none of this kind`);
  const [location, query] = splitOnce(text.slice(scheme.length + 1), "?");
  const options = readOptions(query, form, fail);
  if (form.kind === "server") return { scheme, options, ...readServer(location, form, fail) };
  const path = location;
  if (form.kind === "path" && path === "") fail("names no file or folder");
  if (form.kind === "path" && path.startsWith("//")) fail("has two slashes before a path");
  if (form.kind === "bare" && path !== "") fail(`has something behind ${scheme}:`);
  return { scheme, path, host: "", port: undefined, user: undefined, password: undefined, options };
}

/** `problem` continues "the address of a key-value store …". */
export function badAddress(what: string, problem: string, examples: readonly string[]): StarlaneError {
  return new StarlaneError("resource/bad-address", `the address of ${what} ${problem}`, {
    cure: `write it as one of: ${examples.join(", ")}`,
  });
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

type Fail = (problem: string) => never;

function readOptions(query: string | undefined, form: AddressForm, fail: Fail): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  if (query === undefined) return options;
  const known = form.options ?? [];
  for (const [name, value] of new URLSearchParams(query)) {
    if (!known.includes(name)) {
      const what = /^[a-z-]{1,40}$/.test(name) ? `the option ${name}` : "an option";
      fail(`has ${what}, which it does not know${known.length === 0 ? "" : ` (there are: ${known.join(", ")})`}`);
    }
    if (options.has(name)) fail(`has the option ${name} twice`);
    if (value === "") fail(`has the option ${name} without a value`);
    options.set(name, value);
  }
  return options;
}

function readServer(location: string, form: AddressForm, fail: Fail): Omit<Address, "scheme" | "options"> {
  if (!location.startsWith("//")) fail("has no // before the host");
  const [authority, path = ""] = splitOnce(location.slice(2), "/");
  const at = authority.lastIndexOf("@");
  const [user, password] = at < 0 ? [] : splitOnce(authority.slice(0, at), ":").map((part) => decode(part, fail));
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/.exec(authority.slice(at + 1));
  const host = match?.[1] ?? fail("has no host, or one that is malformed");
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  if (port !== undefined && (port < 1 || port > 65_535)) fail("has a port that does not exist");
  const wanted = form.path ?? "none";
  if (wanted === "required" && path === "") fail("names nothing behind the host");
  if (wanted === "none" && path !== "") fail("has a path, which it does not take");
  return { host, port, user, password, path: decode(path, fail) ?? "" };
}

function decode(text: string | undefined, fail: Fail): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return fail("has a malformed percent-encoding");
  }
}

const BUCKET_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** A name that becomes part of a table, stream or key name. @throws StarlaneError `resource/bad-address` */
export function plainName(name: string, what: string): string {
  if (BUCKET_NAME.test(name)) return name;
  throw badAddress(what, "has a name that is not 1 to 64 letters, digits, _ and -", ["links", "page_cache-2"]);
}
