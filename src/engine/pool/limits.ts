// What bounds transactions where nobody said otherwise.

export const DEFAULT_MEMORY_BYTES = 2 ** 30;
export const DEFAULT_HANDLES = 100_000;
