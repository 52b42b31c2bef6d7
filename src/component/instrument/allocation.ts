// How much a guest may allocate in the heap of V8 for its fuel: what follows from `costs.ts`, without the rest of the rewriter.

/** The most that a struct or array takes for each unit that making it costs: four fields of 16 bytes, and its header. */
export const BYTES_PER_UNIT = 96;
/** No array is larger in V8. */
export const LARGEST_ARRAY_BYTES = 2 ** 31;
