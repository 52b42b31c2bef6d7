// Finds the route of a method and a path: a tree of segments, literal before parameter before rest. Nobody's regular expression runs
// here; a search looks at each node of the tree at most once.

import { StarlaneError } from "../../base/errors.ts";

export interface RoutePattern {
  readonly segments: readonly PatternSegment[];
  /** In their order. */
  readonly names: readonly string[];
}

export type PatternSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "rest"; readonly name: string };

const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_-]*)(\.\.\.)?\}$/;

/** @throws StarlaneError `http/bad-route` */
export function parsePattern(path: string): RoutePattern {
  const wrong = (why: string): StarlaneError =>
    new StarlaneError("http/bad-route", `the path ${JSON.stringify(path.slice(0, 200))} is no pattern of a route: ${why}`, {
      cure: "Write it like /users/{id} or /files/{path...}.",
    });
  if (!path.startsWith("/")) throw wrong("it does not start with a slash");
  const texts = path.slice(1).split("/");
  const names: string[] = [];
  const segments = texts.map((text, i): PatternSegment => {
    const [, name, dots] = PARAMETER.exec(text) ?? [];
    if (name === undefined) {
      if (/[{}?#\s]/.test(text)) throw wrong(`the segment ${JSON.stringify(text)} is neither a text nor one parameter`);
      return { kind: "literal", text: literal(text, wrong) };
    }
    if (names.includes(name)) throw wrong(`it names ${name} twice`);
    names.push(name);
    if (dots === undefined) return { kind: "param", name };
    if (i < texts.length - 1) throw wrong(`something follows {${name}...}`);
    return { kind: "rest", name };
  });
  return { segments, names };
}

function literal(text: string, wrong: (why: string) => StarlaneError): string {
  try {
    const decoded = decodeURIComponent(text);
    if (decoded !== "." && decoded !== "..") return decoded;
  } catch {
    throw wrong("it is not percent-encoded UTF-8");
  }
  throw wrong("no request has a segment of dots");
}

export interface Match<T> {
  readonly value: T;
  readonly names: readonly string[];
  /** What stands for the names; a rest keeps its slashes. */
  readonly values: readonly string[];
}

export type Found<T> = Match<T> | { readonly allow: readonly string[] } | undefined;

interface Leaf<T> {
  readonly names: readonly string[];
  /** `*`: every method that has none of its own. */
  readonly byMethod: Map<string, T>;
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  param?: Node<T>;
  leaf?: Leaf<T>;
  rest?: Leaf<T>;
}

const NO_VALUES: readonly string[] = [];

export class Router<T> {
  readonly #root: Node<T> = { literals: new Map() };
  /** Those without parameters, by their whole path: most requests of most apps need no more. */
  readonly #plain = new Map<string, Leaf<T>>();

  /** `methods`: undefined for every one. @throws StarlaneError `http/bad-route`, `http/conflicting-routes` */
  add(path: string, methods: readonly string[] | undefined, value: T): void {
    const pattern = parsePattern(path);
    const leaf = this.#leafOf(pattern);
    for (const method of methods === undefined ? ["*"] : methods) {
      if (leaf.byMethod.has(method)) {
        throw new StarlaneError(
          "http/conflicting-routes",
          `two routes serve ${method === "*" ? "every method" : method} ${path}`,
          {
            cure: "Give one of them another path or method.",
          },
        );
      }
      leaf.byMethod.set(method, value);
    }
    if (pattern.names.length === 0) this.#plain.set(path, leaf);
  }

  #leafOf({ segments, names }: RoutePattern): Leaf<T> {
    let node = this.#root;
    for (const segment of segments) {
      if (segment.kind === "rest") return (node.rest ??= { names, byMethod: new Map() });
      if (segment.kind === "param") node = node.param ??= { literals: new Map() };
      else node = childOf(node, segment.text);
    }
    return (node.leaf ??= { names, byMethod: new Map() });
  }

  /** A route whose path is exactly this, without decoding anything: the fast way. */
  findPlain(method: string, path: string): Match<T> | undefined {
    const leaf = this.#plain.get(path);
    const value = leaf?.byMethod.get(method);
    return value === undefined || leaf === undefined ? undefined : { value, names: leaf.names, values: NO_VALUES };
  }

  /** The route of a path; the methods that it has where it has not this one; undefined where there is no such path. */
  find(method: string, segments: readonly string[]): Found<T> {
    const search = new Search<T>(method, segments);
    const match = search.from(this.#root, 0);
    if (match !== undefined) return match;
    return search.allow === undefined ? undefined : { allow: [...search.allow] };
  }
}

function childOf<T>(node: Node<T>, text: string): Node<T> {
  const known = node.literals.get(text);
  if (known !== undefined) return known;
  const made: Node<T> = { literals: new Map() };
  node.literals.set(text, made);
  return made;
}

/** What a leaf has for a method: HEAD is answered as GET where it has no route of its own. */
function valueFor<T>({ byMethod }: Leaf<T>, method: string): T | undefined {
  return byMethod.get(method) ?? (method === "HEAD" ? byMethod.get("GET") : undefined) ?? byMethod.get("*");
}

class Search<T> {
  /** Methods of the path, where it has not the one that is looked for. */
  allow: Set<string> | undefined;
  readonly #method: string;
  readonly #segments: readonly string[];
  readonly #values: string[] = [];

  constructor(method: string, segments: readonly string[]) {
    this.#method = method;
    this.#segments = segments;
  }

  from(node: Node<T>, index: number): Match<T> | undefined {
    const segment = this.#segments[index];
    if (segment === undefined) return this.#at(node.leaf) ?? this.#atRest(node, index);
    const literal = node.literals.get(segment);
    const found = literal === undefined ? undefined : this.from(literal, index + 1);
    if (found !== undefined) return found;
    if (node.param !== undefined && segment !== "") {
      this.#values.push(segment);
      const matched = this.from(node.param, index + 1);
      if (matched !== undefined) return matched;
      this.#values.pop();
    }
    return this.#atRest(node, index);
  }

  #atRest(node: Node<T>, index: number): Match<T> | undefined {
    if (node.rest === undefined) return undefined;
    this.#values.push(this.#segments.slice(index).join("/"));
    const found = this.#at(node.rest);
    if (found === undefined) this.#values.pop();
    return found;
  }

  #at(leaf: Leaf<T> | undefined): Match<T> | undefined {
    if (leaf === undefined) return undefined;
    const value = valueFor(leaf, this.#method);
    if (value !== undefined) return { value, names: leaf.names, values: this.#values };
    this.allow ??= new Set();
    for (const method of leaf.byMethod.keys()) {
      this.allow.add(method);
      if (method === "GET") this.allow.add("HEAD");
    }
    return undefined;
  }
}
