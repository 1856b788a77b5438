/** @file llama.cpp's row order for q and k, which suits its own rotary layout. */

/**
 * The model's row that is stored at `row` of the file: within each head, row 2i + j is row j·headDim/2 + i of the model
 * (https://github.com/ggml-org/llama.cpp, convert_hf_to_gguf.py, LlamaModel.permute).
 */
export function unpermutedRow(row: number, headDim: number): number {
  const within = row % headDim;
  return row - within + (within % 2) * (headDim / 2) + (within >> 1);
}

/** The file's order → the model's, in place; only whole heads. */
export function unpermuteRows(rows: Float32Array, headDim: number, rowLength: number): void {
  moveRows(rows, headDim, rowLength, (row) => ({ from: row, to: unpermutedRow(row, headDim) }));
}

/** The model's order → the file's, in place; only whole heads. */
export function permuteRows(rows: Float32Array, headDim: number, rowLength: number): void {
  moveRows(rows, headDim, rowLength, (row) => ({ from: unpermutedRow(row, headDim), to: row }));
}

function moveRows(
  rows: Float32Array,
  headDim: number,
  rowLength: number,
  move: (row: number) => { readonly from: number; readonly to: number },
): void {
  const head = new Float32Array(headDim * rowLength);
  for (let start = 0; start < rows.length; start += head.length) {
    head.set(rows.subarray(start, start + head.length));
    for (let row = 0; row < headDim; row++) {
      const { from, to } = move(row);
      rows.set(head.subarray(from * rowLength, (from + 1) * rowLength), start + to * rowLength);
    }
  }
}
