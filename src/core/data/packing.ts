/** How many rows are kept open for shorter examples that may follow. */
const openRows = 64;

/**
 * Packs examples into rows of at most `capacity` tokens, each into the first open row where it fits. Examples are taken in the
 * given `order`. Rows are returned in the order in which they were opened and hold indices into `lengths`.
 */
export function packRows(lengths: readonly number[], order: Iterable<number>, capacity: number): number[][] {
  const rows: { readonly indices: number[]; free: number }[] = [];
  let firstOpen = 0;
  for (const index of order) {
    const length = Math.min(lengths[index]!, capacity);
    let row = rows.slice(firstOpen).find(({ free }) => free >= length);
    if (!row) {
      row = { indices: [], free: capacity };
      rows.push(row);
      firstOpen = Math.max(0, rows.length - openRows);
    }
    row.indices.push(index);
    row.free -= length;
  }
  return rows.map(({ indices }) => indices);
}
