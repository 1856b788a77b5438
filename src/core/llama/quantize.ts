/** A matrix in blocks of equal scale along its rows, as com.microsoft.MatMulNBits wants it. */
export interface BlockQuantized {
  /** [rows, blocks, blockSize · bits / 8]; 4-bit codes lie low nibble first. */
  readonly codes: Uint8Array;
  /** [rows · blocks] */
  readonly scales: Float32Array;
}

/**
 * Rounds [rows, columns] to `bits` bits: w ≈ scale · (code − 2^(bits−1)). The scale maps the value of largest magnitude to
 * code 0, so that one of the two ends is always met exactly, as in GGUF's Q4_0. A last block shorter than blockSize is filled
 * with zeros.
 */
export function quantizeBlocks(weights: Float32Array, rows: number, columns: number, bits: 4 | 8, blockSize: number): BlockQuantized {
  const blocks = Math.ceil(columns / blockSize);
  const bytesPerBlock = (blockSize * bits) / 8;
  const codes = new Uint8Array(rows * blocks * bytesPerBlock);
  const scales = new Float32Array(rows * blocks);
  const zero = 2 ** (bits - 1);
  const last = 2 ** bits - 1;
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const start = row * columns + block * blockSize;
      const end = Math.min(start + blockSize, (row + 1) * columns);
      const scale = Math.fround(largestMagnitude(weights, start, end) / -zero);
      const inverse = scale === 0 ? 0 : 1 / scale;
      const index = row * blocks + block;
      scales[index] = scale;
      for (let i = 0; i < blockSize; i++) {
        const value = start + i < end ? weights[start + i]! : 0;
        const code = Math.min(last, Math.max(0, Math.round(value * inverse) + zero));
        if (bits === 8) codes[index * bytesPerBlock + i] = code;
        else codes[index * bytesPerBlock + (i >> 1)]! |= code << (4 * (i & 1));
      }
    }
  }
  return { codes, scales };
}

/** With its sign. */
function largestMagnitude(values: Float32Array, start: number, end: number): number {
  let largest = 0;
  for (let i = start; i < end; i++) {
    if (Math.abs(values[i]!) > Math.abs(largest)) largest = values[i]!;
  }
  return largest;
}
