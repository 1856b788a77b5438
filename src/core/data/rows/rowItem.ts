/**
 * A row of a data file, or the reason it can't be read. The number says where to find it: the line on which it begins, or which
 * row of a Parquet file it is; both are counted from 1.
 */
export type RowItem =
  { readonly number: number; readonly value: unknown } | { readonly number: number; readonly problem: string };
