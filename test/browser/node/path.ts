// `node:path` in a browser: paths with slashes, as the server of the tests has them.

export function resolve(...parts: string[]): string {
  const segments: string[] = [];
  for (const segment of parts.slice(Math.max(0, parts.findLastIndex(isAbsolute))).flatMap((part) => part.split("/"))) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}

/** Of absolute paths: nothing here has a working directory. */
export function join(...parts: string[]): string {
  const [first = "", ...rest] = parts;
  if (!isAbsolute(first)) throw new Error(`a path that does not start at the root: ${first}`);
  return resolve(first, ...rest.map((part) => `./${part}`));
}

export function relative(from: string, to: string): string {
  const [start, end] = [resolve(from), resolve(to)].map((path) => path.split("/").filter((segment) => segment !== ""));
  if (start === undefined || end === undefined) return "";
  const differs = start.findIndex((segment, i) => segment !== end[i]);
  const shared = differs < 0 ? start.length : differs;
  return [...start.slice(shared).map(() => ".."), ...end.slice(shared)].join("/");
}

export function dirname(path: string): string {
  return resolve(path, "..");
}

function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}
