// Objects of the host that serve every transaction of a recycled instance. A guest may ask for such an object while it is
// initialized (its standard output, a granted folder) and keeps the handle for good; all other objects belong to one transaction.

const timeless = new WeakSet<object>();

/** Marks an object that keeps nothing of a transaction but what it finds anew in each. */
export function markTimeless<T extends object>(object: T): T {
  timeless.add(object);
  return object;
}

export function isTimeless(object: unknown): boolean {
  return typeof object === "object" && object !== null && timeless.has(object);
}
