// `node:fs` in a browser: the files of the checkout, read only, through the server of the tests.

/** Where a file is: its address, or the path that `fileURLToPath` made of it. */
type Place = URL | string;

function request(method: string, place: Place, query: string): XMLHttpRequest {
  const url = new URL(place, location.origin);
  url.search = query;
  const xhr = new XMLHttpRequest();
  // These functions answer at once, as Node's do.
  xhr.open(method, url, false);
  xhr.overrideMimeType("text/plain; charset=x-user-defined");
  xhr.send();
  return xhr;
}

function get(place: Place, query: string): Uint8Array {
  const { status, responseText } = request("GET", place, query);
  if (status !== 200)
    throw Object.assign(new Error(`ENOENT: no such file or directory, open '${String(place)}'`), { code: "ENOENT" });
  return Uint8Array.from(responseText, (character) => character.charCodeAt(0) & 0xff);
}

export function readFileSync(place: Place, options?: string | { readonly encoding?: string }): Uint8Array | string {
  const bytes = get(place, "raw");
  const encoding = typeof options === "string" ? options : options?.encoding;
  return encoding === undefined ? bytes : new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes);
}

export function existsSync(place: Place): boolean {
  return request("HEAD", place, "raw").status === 200;
}

interface Entry {
  readonly name: string;
  readonly parentPath: string;
  readonly isFile: boolean;
}

interface Options {
  readonly recursive?: boolean;
  readonly withFileTypes?: boolean;
}

export function readdirSync(place: Place, options: Options | string = {}): unknown[] {
  const { recursive = false, withFileTypes = false } = typeof options === "string" ? {} : options;
  const listed = new TextDecoder().decode(get(place, recursive ? "list=recursive" : "list"));
  const entries = JSON.parse(listed) as Entry[];
  const folder = new URL(place, location.origin).pathname.replace(/\/?$/, "/");
  if (!withFileTypes) return entries.map(({ name, parentPath }) => `${parentPath}/${name}`.slice(folder.length));
  return entries.map(({ name, parentPath, isFile }) => ({ name, parentPath, isFile: () => isFile, isDirectory: () => !isFile }));
}

export function writeFileSync(place: Place): never {
  throw new Error(`tests in a browser write no files: ${String(place)}`);
}
