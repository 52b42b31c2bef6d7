// Paths of a manifest: relative, with `/`, the same on every machine. Pure text: nothing here looks at a disk, and no odd text (`..`, `//`,
// a drive letter, an address) can lead where it does not say.

const LONGEST_PATH = 1024;

/** What is wrong with a path that a manifest gives, or undefined. */
export function pathProblem(path: string): { readonly message: string; readonly cure: string } | undefined {
  if (path.length > LONGEST_PATH)
    return { message: `a path may have ${LONGEST_PATH} characters, and this one has ${path.length}`, cure: "Shorten it." };
  if (path === "") return { message: "the path is empty", cure: "Write it as in `./text.wasm`." };
  if (path.includes("${"))
    return { message: "a path cannot have `${…}` in it: it is known before the app is configured", cure: "Write the path out." };
  if (/^[A-Za-z]:[\\/]/.test(path) || path.startsWith("/")) {
    return {
      message: "the path is absolute, but a manifest means the same on every machine",
      cure: "Write it relative to the folder of the manifest, as `./…`.",
    };
  }
  if (path.includes("\\"))
    return {
      message: "the path has backslashes, which are separators only on Windows",
      cure: `Write \`${path.replaceAll("\\", "/").slice(0, 200)}\`.`,
    };
  if (path.startsWith("~"))
    return {
      message: "the path starts in a home folder, but a manifest means the same on every machine",
      cure: "Write it relative to the folder of the manifest, as `./…`.",
    };
  if (!/^\.\.?(?:\/|$)/.test(path))
    return { message: "the path does not start with `./` or `../`", cure: `Write \`./${path.slice(0, 200)}\`.` };
  if (/\/\//.test(path))
    return { message: "the path has an empty part (`//`)", cure: `Write \`${path.replace(/\/{2,}/g, "/").slice(0, 200)}\`.` };
  if (/\p{Cc}/u.test(path)) return { message: "the path has characters that cannot be seen", cure: "Remove them." };
  const reserved = path
    .split("/")
    .find((part) => /[<>:"|?*]/.test(part) || (/[. ]$/.test(part) && part !== "." && part !== ".."));
  if (reserved !== undefined)
    return {
      message: `\`${reserved.slice(0, 60)}\` cannot be a file on every system`,
      cure: 'Rename the file: without `< > : " | ? *`, and without a dot or space at the end.',
    };
  return undefined;
}

/** `./a/../b` -> `./b`, `../a/.` -> `../a`; leading `..` stay. The path must have no problem. */
export function normalizePath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  if (parts[0] === "..") return parts.join("/");
  return parts.length === 0 ? "." : `./${parts.join("/")}`;
}

/** The folder of a file path: `apps/shop/starlane.yaml` -> `apps/shop`, `starlane.yaml` -> `.`, `/a` -> `/`. */
export function folderOf(file: string): string {
  const slash = file.lastIndexOf("/");
  if (slash < 0) return ".";
  return slash === 0 ? "/" : file.slice(0, slash);
}

/**
 * A manifest's relative path from a folder (relative or absolute, with `/`): `joinPath("apps/shop", "../text.wasm")` -> `apps/text.wasm`.
 * `..` at the root of an absolute folder stays at the root; in a relative folder it goes further up.
 */
export function joinPath(folder: string, path: string): string {
  const absolute = folder.startsWith("/");
  const parts: string[] = [];
  for (const part of [...folder.split("/"), ...path.split("/")]) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!absolute) parts.push(part);
  }
  if (absolute) return `/${parts.join("/")}`;
  return parts.length === 0 ? "." : parts.join("/");
}
