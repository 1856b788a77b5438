/**
 * @file GGML's block formats decoded to fp32 (https://github.com/ggml-org/ggml, ggml-common.h and ggml-quants.c).
 * Each entry decodes one block from `bytes` at `at` into `out` at `to`. d and m are the half-precision scale and minimum.
 */
import { float16At } from './float16.js';

export type BlockType = 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'Q2_K' | 'Q3_K' | 'Q4_K' | 'Q5_K' | 'Q6_K';

interface BlockFormat {
  /** Elements per block. */
  readonly elements: number;
  readonly bytes: number;
  readonly decode: (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;
}

const signed = (byte: number): number => (byte << 24) >> 24;

export const blockFormats: { readonly [K in BlockType]: BlockFormat } = {
  // d·(q − 8), 4 bits: the low nibbles are elements 0–15, the high ones 16–31.
  Q4_0: {
    elements: 32,
    bytes: 18,
    decode(bytes, at, out, to) {
      const d = float16At(bytes, at);
      for (let i = 0; i < 16; i++) {
        const q = bytes[at + 2 + i]!;
        out[to + i] = d * ((q & 15) - 8);
        out[to + 16 + i] = d * ((q >> 4) - 8);
      }
    },
  },
  // d·q + m
  Q4_1: {
    elements: 32,
    bytes: 20,
    decode(bytes, at, out, to) {
      const d = float16At(bytes, at);
      const m = float16At(bytes, at + 2);
      for (let i = 0; i < 16; i++) {
        const q = bytes[at + 4 + i]!;
        out[to + i] = d * (q & 15) + m;
        out[to + 16 + i] = d * (q >> 4) + m;
      }
    },
  },
  // d·(q − 16), 5 bits: the fifth bits are stored together in 4 bytes.
  Q5_0: {
    elements: 32,
    bytes: 22,
    decode(bytes, at, out, to) {
      const d = float16At(bytes, at);
      const high = word(bytes, at + 2);
      for (let i = 0; i < 16; i++) {
        const q = bytes[at + 6 + i]!;
        out[to + i] = d * (((q & 15) | (((high >>> i) & 1) << 4)) - 16);
        out[to + 16 + i] = d * (((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16);
      }
    },
  },
  // d·q + m, 5 bits
  Q5_1: {
    elements: 32,
    bytes: 24,
    decode(bytes, at, out, to) {
      const d = float16At(bytes, at);
      const m = float16At(bytes, at + 2);
      const high = word(bytes, at + 4);
      for (let i = 0; i < 16; i++) {
        const q = bytes[at + 8 + i]!;
        out[to + i] = d * ((q & 15) | (((high >>> i) & 1) << 4)) + m;
        out[to + 16 + i] = d * ((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) + m;
      }
    },
  },
  // d·q, signed 8 bits
  Q8_0: {
    elements: 32,
    bytes: 34,
    decode(bytes, at, out, to) {
      const d = float16At(bytes, at);
      for (let i = 0; i < 32; i++) out[to + i] = d * signed(bytes[at + 2 + i]!);
    },
  },
  // 16 groups of 16: (d·scale)·q − (dmin·min), 2 bits; scales [16], q [64], d, dmin.
  Q2_K: {
    elements: 256,
    bytes: 84,
    decode(bytes, at, out, to) {
      const d = float16At(bytes, at + 80);
      const dmin = float16At(bytes, at + 82);
      for (let group = 0; group < 16; group++) {
        const scale = bytes[at + group]!;
        const q = at + 16 + (group >> 3) * 32 + (group & 1) * 16;
        const shift = 2 * ((group >> 1) & 3);
        for (let i = 0; i < 16; i++) {
          out[to + group * 16 + i] = d * (scale & 15) * ((bytes[q + i]! >> shift) & 3) - dmin * (scale >> 4);
        }
      }
    },
  },
  // 16 groups of 16: d·(scale − 32)·(q − 4·(1 − high bit)); high bits [32], q [64], packed 6-bit scales [12], d.
  Q3_K: {
    elements: 256,
    bytes: 110,
    decode(bytes, at, out, to) {
      const d = float16At(bytes, at + 108);
      for (let group = 0; group < 16; group++) {
        const low = bytes[at + 96 + (group & 7)]! >> (group < 8 ? 0 : 4);
        const highPair = bytes[at + 104 + (group & 3)]! >> (2 * (group >> 2));
        const scale = d * (((low & 15) | ((highPair & 3) << 4)) - 32);
        const within = (group & 1) * 16;
        const q = at + 32 + (group >> 3) * 32 + within;
        const shift = 2 * ((group >> 1) & 3);
        const highBit = 1 << (group >> 1);
        for (let i = 0; i < 16; i++) {
          const offset = bytes[at + within + i]! & highBit ? 0 : 4;
          out[to + group * 16 + i] = scale * (((bytes[q + i]! >> shift) & 3) - offset);
        }
      }
    },
  },
  // 8 groups of 32: (d·scale)·q − (dmin·min), 4 bits; d, dmin, packed 6-bit scales and mins [12], q [128].
  Q4_K: {
    elements: 256,
    bytes: 144,
    decode(bytes, at, out, to) {
      const d = float16At(bytes, at);
      const dmin = float16At(bytes, at + 2);
      for (let group = 0; group < 8; group++) {
        const scale = d * packedScale(bytes, at + 4, group);
        const minimum = dmin * packedMinimum(bytes, at + 4, group);
        const q = at + 16 + (group >> 1) * 32;
        const shift = 4 * (group & 1);
        for (let i = 0; i < 32; i++) out[to + group * 32 + i] = scale * ((bytes[q + i]! >> shift) & 15) - minimum;
      }
    },
  },
  // Like Q4_K with a fifth bit: high bits [32] before q.
  Q5_K: {
    elements: 256,
    bytes: 176,
    decode(bytes, at, out, to) {
      const d = float16At(bytes, at);
      const dmin = float16At(bytes, at + 2);
      for (let group = 0; group < 8; group++) {
        const scale = d * packedScale(bytes, at + 4, group);
        const minimum = dmin * packedMinimum(bytes, at + 4, group);
        const q = at + 48 + (group >> 1) * 32;
        const shift = 4 * (group & 1);
        for (let i = 0; i < 32; i++) {
          const fifth = ((bytes[at + 16 + i]! >> group) & 1) << 4;
          out[to + group * 32 + i] = scale * (((bytes[q + i]! >> shift) & 15) | fifth) - minimum;
        }
      }
    },
  },
  // 16 groups of 16: d·scale·(q − 32), 6 bits; low 4 bits [128], high 2 bits [64], signed scales [16], d.
  Q6_K: {
    elements: 256,
    bytes: 210,
    decode(bytes, at, out, to) {
      const d = float16At(bytes, at + 208);
      for (let group = 0; group < 16; group++) {
        const scale = d * signed(bytes[at + 192 + group]!);
        const [upper, quarter, within] = [group >> 3, (group >> 1) & 3, (group & 1) * 16];
        const low = at + upper * 64 + (quarter & 1) * 32 + within;
        const high = at + 128 + upper * 32 + within;
        for (let i = 0; i < 16; i++) {
          const four = (bytes[low + i]! >> (4 * (quarter >> 1))) & 15;
          const two = (bytes[high + i]! >> (2 * quarter)) & 3;
          out[to + group * 16 + i] = scale * ((four | (two << 4)) - 32);
        }
      }
    },
  },
};

/** Eight 6-bit scales and eight 6-bit minimums share 12 bytes: the upper bits of numbers 4–7 are at the top of bytes 0–7. */
export function packedScale(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group]! & 63;
  return (bytes[at + group + 4]! & 15) | ((bytes[at + group - 4]! >> 6) << 4);
}

export function packedMinimum(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group + 4]! & 63;
  return (bytes[at + group + 4]! >> 4) | ((bytes[at + group]! >> 6) << 4);
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
