/** Where the module's own data ends. What lies behind is the caller's: memory.ts of the parent directory hands it out. */

/** First byte of linear memory that no table of the module occupies. */
export function heapBase(): usize {
  return __heap_base;
}
