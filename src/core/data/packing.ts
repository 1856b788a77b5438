/** How many rows are kept open for a shorter example to come. */
const openRows = 64;

/**
 * Puts examples into rows of at most `capacity` tokens, each in the first open row where it fits. Rows come in the order in which
 * they were begun, and hold indices into `lengths`; `order` says which example comes when.
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
