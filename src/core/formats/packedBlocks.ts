/**
 * @file 4-bit and 8-bit matrices in the layout that the programs take: blocks of 32 columns, with the codes separate from scales
 * and minimums. A code c means scale · (c − 2^(bits−1)), or scale · c + minimum in the form Q4_1 (see `dequantize` in
 * graph/types.ts).
 */
import { float16At } from './float16.js';
import { packedMinimum, packedScale, type BlockType } from './ggmlBlocks.js';

export type PackedForm = Extract<BlockType, 'Q4_0' | 'Q4_1' | 'Q8_0'>;

export const blockColumns = 32;

export interface PackedBlocks {
  /** 16 bytes per block of 4-bit codes, with the first 16 columns in the low nibbles; 32 bytes per block of 8-bit codes. */
  readonly codes: Uint8Array;
  /** One per block. */
  readonly scales: Float32Array;
  /** One per block, in the form Q4_1 only. */
  readonly minimums?: Float32Array;
}

/**
 * The form in which each stored type is held. Types of 5 and 6 bits, and those whose scales change within 32 columns, are rounded
 * to 8 bits.
 */
export const packedForms: { readonly [K in BlockType]: PackedForm } = {
  Q4_0: 'Q4_0',
  Q4_1: 'Q4_1',
  Q4_K: 'Q4_1',
  Q8_0: 'Q8_0',
  Q5_0: 'Q8_0',
  Q5_1: 'Q8_0',
  Q5_K: 'Q8_0',
  Q6_K: 'Q8_0',
  Q2_K: 'Q8_0',
  Q3_K: 'Q8_0',
};

export function bitsOf(form: PackedForm): 4 | 8 {
  return form === 'Q8_0' ? 8 : 4;
}

type Repack = (bytes: Uint8Array, at: number, into: PackedBlocks, block: number) => void;

/** For stored blocks that need no rounding: writes the block at `at` as block number `block`; Q4_K also fills the next seven. */
export const repack: { readonly [K in BlockType]?: Repack } = {
  Q4_0(bytes, at, { codes, scales }, block) {
    scales[block] = float16At(bytes, at);
    for (let i = 0; i < 16; i++) codes[block * 16 + i] = bytes[at + 2 + i]!;
  },
  Q4_1(bytes, at, { codes, scales, minimums }, block) {
    scales[block] = float16At(bytes, at);
    minimums![block] = float16At(bytes, at + 2);
    for (let i = 0; i < 16; i++) codes[block * 16 + i] = bytes[at + 4 + i]!;
  },
  Q8_0(bytes, at, { codes, scales }, block) {
    scales[block] = float16At(bytes, at);
    for (let i = 0; i < 32; i++) codes[block * 32 + i] = bytes[at + 2 + i]! ^ 0x80; // q + 128
  },
  Q4_K(bytes, at, { codes, scales, minimums }, block) {
    for (let group = 0; group < 8; group++) {
      scales[block + group] = float16At(bytes, at) * packedScale(bytes, at + 4, group);
      minimums![block + group] = -float16At(bytes, at + 2) * packedMinimum(bytes, at + 4, group);
      const q = at + 16 + (group >> 1) * 32;
      const shift = 4 * (group & 1);
      for (let i = 0; i < 16; i++) {
        codes[(block + group) * 16 + i] = ((bytes[q + i]! >> shift) & 15) | (((bytes[q + 16 + i]! >> shift) & 15) << 4);
      }
    }
  },
};

/** Rounds fp32 weights to whole blocks, starting at `firstBlock`. */
export function roundToBlocks(values: Float32Array, form: 'Q4_1' | 'Q8_0', into: PackedBlocks, firstBlock: number): void {
  const round = form === 'Q8_0' ? roundTo8Bits : roundTo4Bits;
  for (let block = firstBlock, start = 0; start < values.length; block++, start += blockColumns)
    round(values, start, into, block);
}

/** The value of largest magnitude is represented exactly, by code 0. */
function roundTo8Bits(values: Float32Array, start: number, { codes, scales }: PackedBlocks, block: number): void {
  let largest = 0;
  for (let i = start; i < start + blockColumns; i++) if (Math.abs(values[i]!) > Math.abs(largest)) largest = values[i]!;
  const scale = Math.fround(largest / -128);
  const inverse = scale === 0 ? 0 : 1 / scale;
  scales[block] = scale;
  for (let i = 0; i < 32; i++) codes[block * 32 + i] = Math.min(255, Math.round(values[start + i]! * inverse) + 128);
}

/** Codes 0 and 15 represent the smallest and the largest value, as in GGML's reference quantizer for Q4_1. */
function roundTo4Bits(values: Float32Array, start: number, { codes, scales, minimums }: PackedBlocks, block: number): void {
  let [smallest, largest] = [Infinity, -Infinity];
  for (let i = start; i < start + blockColumns; i++) {
    smallest = Math.min(smallest, values[i]!);
    largest = Math.max(largest, values[i]!);
  }
  const scale = Math.fround((largest - smallest) / 15);
  const inverse = scale === 0 ? 0 : 1 / scale;
  scales[block] = scale;
  minimums![block] = smallest;
  const code = (value: number): number => Math.min(15, Math.round((value - smallest) * inverse));
  for (let i = 0; i < 16; i++) codes[block * 16 + i] = code(values[start + i]!) | (code(values[start + 16 + i]!) << 4);
}

/** 4-bit codes with neighbouring columns in one byte, the lower one in the low nibble, as com.microsoft.MatMulNBits expects. */
export function asPairs(codes: Uint8Array): Uint8Array {
  const pairs = new Uint8Array(codes.length);
  for (let block = 0; block < codes.length; block += 16) {
    for (let i = 0; i < 8; i++) {
      const [first, second] = [codes[block + 2 * i]!, codes[block + 2 * i + 1]!];
      pairs[block + i] = (first & 15) | ((second & 15) << 4);
      pairs[block + 8 + i] = (first >> 4) | (second & 0xf0);
    }
  }
  return pairs;
}
