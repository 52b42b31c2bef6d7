// Work that usually ends at once and sometimes later: no promise is made where none is needed.

export type Maybe<T> = T | Promise<T>;

/** `f` of the value, now where it is there already. */
export function then<T, U>(value: Maybe<T>, f: (value: T) => Maybe<U>): Maybe<U> {
  return value instanceof Promise ? value.then(f) : f(value);
}
