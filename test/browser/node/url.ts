// `node:url` in a browser: a file's path is that of its address on the server of the tests.

export function fileURLToPath(url: URL | string): string {
  return decodeURIComponent(new URL(url).pathname);
}

export function pathToFileURL(path: string): URL {
  return new URL(path.split("/").map(encodeURIComponent).join("/"), location.origin);
}
