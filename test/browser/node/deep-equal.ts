// Strict deep equality as `node:assert/strict` has it: same prototypes, own enumerable properties, contents; cycles end.

type Pair = readonly [object, object];

export function isDeepStrictEqual(a: unknown, b: unknown): boolean {
  return equal(a, b, []);
}

/** `open`: the pairs being compared around this one; meeting one of them again means a cycle on both sides. */
function equal(a: unknown, b: unknown, open: readonly Pair[]): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || tagOf(a) !== tagOf(b)) return false;
  if (a instanceof WeakMap || a instanceof WeakSet || a instanceof Promise) return false;
  if (open.some(([first, second]) => first === a && second === b)) return true;
  const inside: readonly Pair[] = [...open, [a, b]];
  return equalContent(a, b, inside) && equalProperties(a, b, inside);
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function equalContent(a: object, b: object, open: readonly Pair[]): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length;
  if (a instanceof Map) return b instanceof Map && equalMaps(a, b, open);
  if (a instanceof Set) return b instanceof Set && equalSets(a, b, open);
  if (a instanceof Date) return b instanceof Date && Object.is(a.getTime(), b.getTime());
  if (a instanceof RegExp) return b instanceof RegExp && String(a) === String(b) && a.lastIndex === b.lastIndex;
  if (a instanceof URL) return b instanceof URL && a.href === b.href;
  if (a instanceof Error) return b instanceof Error && equalErrors(a, b, open);
  if (ArrayBuffer.isView(a)) return ArrayBuffer.isView(b) && equalBytes(bytesOf(a), bytesOf(b));
  if (a instanceof ArrayBuffer) return b instanceof ArrayBuffer && equalBytes(new Uint8Array(a), new Uint8Array(b));
  if (a instanceof Number || a instanceof String || a instanceof Boolean || a instanceof BigInt || a instanceof Symbol) {
    return Object.is(a.valueOf(), b.valueOf());
  }
  return true;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** What errors say is not enumerable. */
function equalErrors(a: Error, b: Error, open: readonly Pair[]): boolean {
  if (a.name !== b.name || a.message !== b.message) return false;
  return ["cause", "errors"].every(
    (key) => Object.hasOwn(a, key) === Object.hasOwn(b, key) && equal(Reflect.get(a, key), Reflect.get(b, key), open),
  );
}

function equalSets(a: Set<unknown>, b: Set<unknown>, open: readonly Pair[]): boolean {
  const rest = new Set(b);
  return (
    a.size === b.size &&
    [...a].every((one) => {
      if (rest.delete(one)) return true;
      const found = find(
        Iterator.from(rest).map((other) => [other]),
        ([other]) => equal(one, other, open),
      );
      return found !== undefined && rest.delete(found[0]);
    })
  );
}

function equalMaps(a: Map<unknown, unknown>, b: Map<unknown, unknown>, open: readonly Pair[]): boolean {
  const rest = new Map(b);
  return (
    a.size === b.size &&
    [...a].every(([key, value]) => {
      if (rest.has(key) && equal(value, rest.get(key), open)) return rest.delete(key);
      const found = find(rest, ([otherKey, other]) => equal(key, otherKey, open) && equal(value, other, open));
      return found !== undefined && rest.delete(found[0]);
    })
  );
}

function find<T>(all: Iterable<T>, test: (one: T) => boolean): T | undefined {
  return Iterator.from(all).find(test);
}

function equalProperties(a: object, b: object, open: readonly Pair[]): boolean {
  const keys = enumerableKeys(a);
  return (
    keys.length === enumerableKeys(b).length &&
    keys.every(
      (key) => Object.prototype.propertyIsEnumerable.call(b, key) && equal(Reflect.get(a, key), Reflect.get(b, key), open),
    )
  );
}

/** Elements of typed arrays are compared as bytes already. */
function enumerableKeys(value: object): PropertyKey[] {
  const keys = ArrayBuffer.isView(value) ? Object.keys(value).filter((key) => !/^\d+$/.test(key)) : Object.keys(value);
  const symbols = Object.getOwnPropertySymbols(value);
  return [...keys, ...symbols.filter((key) => Object.prototype.propertyIsEnumerable.call(value, key))];
}
