// How the map of what was written is read: a byte for each page. By itself, so that whoever puts memories back need not load the rewriter.

/** The byte of an address: `map[address >> DIRTY_PAGE_SHIFT]`. */
export const DIRTY_PAGE_SHIFT = 12;
/** Stores by one local within so many bytes share one mark. */
export const WINDOW = 128;
/** How far stores can reach into the page behind the one that is marked: the widest store at the end of its window. */
export const DIRTY_SPILL = WINDOW - 1 + 15;
