/**
 * @file fp32 rounded to GGML's block formats, bit for bit as its reference quantizers do (https://github.com/ggml-org/ggml,
 * ggml-quants.c): every step is in fp32. Blocks have 32 elements.
 */
import { float32ToFloat16 } from './float16.js';
import { blockFormats } from './ggmlBlocks.js';

export type QuantizedType = 'Q4_0' | 'Q4_1' | 'Q8_0';

const blockElements = 32;
const { fround } = Math;

/** Writes the block of the 32 values from `from` on into `bytes` at `at`. */
type Quantize = (values: Float32Array, from: number, bytes: Uint8Array, at: number) => void;

const quantizers: { readonly [K in QuantizedType]: Quantize } = {
  // The value of largest magnitude becomes −8·d.
  Q4_0(values, from, bytes, at) {
    const d = fround(largestOf(values, from) / -8);
    const inverse = inverseOf(d);
    writeHalf(d, bytes, at);
    const code = (value: number): number => Math.min(15, Math.trunc(fround(fround(value * inverse) + 8.5)));
    writeNibbles(values, from, code, bytes, at + 2);
  },
  // Codes 0 and 15 are the smallest and the largest value.
  Q4_1(values, from, bytes, at) {
    const block = values.subarray(from, from + blockElements);
    const [smallest, largest] = [Math.min(...block), Math.max(...block)];
    const d = fround(fround(largest - smallest) / 15);
    const inverse = inverseOf(d);
    writeHalf(d, bytes, at);
    writeHalf(smallest, bytes, at + 2);
    const scaled = (value: number): number => fround(fround(value - smallest) * inverse);
    writeNibbles(values, from, (value) => Math.min(15, Math.trunc(fround(scaled(value) + 0.5))), bytes, at + 4);
  },
  Q8_0(values, from, bytes, at) {
    const d = fround(Math.abs(largestOf(values, from)) / 127);
    const inverse = inverseOf(d);
    writeHalf(d, bytes, at);
    for (let i = 0; i < blockElements; i++) bytes[at + 2 + i] = roundHalfAway(fround(values[from + i]! * inverse));
  },
};

/** `values` are whole blocks. */
export function quantize(type: QuantizedType, values: Float32Array): Uint8Array {
  const blocks = values.length / blockElements;
  const { bytes: blockBytes } = blockFormats[type];
  const bytes = new Uint8Array(blocks * blockBytes);
  for (let block = 0; block < blocks; block++) quantizers[type](values, block * blockElements, bytes, block * blockBytes);
  return bytes;
}

/** The first of the values with the largest magnitude. */
function largestOf(values: Float32Array, from: number): number {
  let largest = 0;
  for (let i = from; i < from + blockElements; i++) if (Math.abs(values[i]!) > Math.abs(largest)) largest = values[i]!;
  return largest;
}

function inverseOf(d: number): number {
  return d === 0 ? 0 : fround(1 / d);
}

const scale = new Float32Array(1);

function writeHalf(value: number, bytes: Uint8Array, at: number): void {
  scale[0] = value;
  const half = float32ToFloat16(scale)[0]!;
  bytes[at] = half & 0xff;
  bytes[at + 1] = half >> 8;
}

/** Elements 0–15 in the low nibbles, 16–31 in the high ones. */
function writeNibbles(values: Float32Array, from: number, code: (value: number) => number, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) bytes[at + i] = code(values[from + i]!) | (code(values[from + 16 + i]!) << 4);
}

/** C's roundf. */
function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}
