import { expect, test } from 'vitest';
import { blockFormats } from '../../../src/core/formats/ggmlBlocks.js';
import {
  asPairs,
  bitsOf,
  packedForms,
  repack,
  type PackedBlocks,
  type PackedForm,
} from '../../../src/core/formats/packedBlocks.js';
import { Random } from '../../../src/core/random.js';
import { expectClose } from '../../support/tensors.js';

const repacked = Object.keys(repack) as (keyof typeof repack)[];

test.each(repacked)('blocks of %s mean the same repacked as decoded', (type) => {
  const { elements, bytes, decode } = blockFormats[type];
  const random = new Random(3);
  const count = 5;
  const stored = Uint8Array.from({ length: count * bytes }, () => Math.floor(256 * random.uniform()));
  // Keep the half-precision scales and minimums below 2, and never infinite or NaN.
  for (let at = 0; at < stored.length; at += bytes) [at + 1, at + 3].forEach((high) => (stored[high]! &= 0xbf));
  const form = packedForms[type];
  const blocks = (count * elements) / 32;
  const into = {
    codes: new Uint8Array(blocks * 4 * bitsOf(form)),
    scales: new Float32Array(blocks),
    minimums: new Float32Array(blocks),
  };
  const decoded = new Float32Array(count * elements);
  for (let block = 0; block < count; block++) {
    repack[type]!(stored, block * bytes, into, (block * elements) / 32);
    decode(stored, block * bytes, decoded, block * elements);
  }
  expectClose(meaning(form, into), decoded, 1e-6, type);
});

test('pairs have the columns of a block in their order', () => {
  // Column i of the only block has code i % 16.
  const halves = Uint8Array.from({ length: 16 }, (_, i) => i | (i << 4));
  expect([...asPairs(halves)]).toEqual(Array.from({ length: 16 }, (_, i) => ((2 * i) % 16) | (((2 * i + 1) % 16) << 4)));
});

/** Decodes as graph/types.ts describes for `dequantize`. */
function meaning(form: PackedForm, { codes, scales, minimums }: PackedBlocks): number[] {
  return [...scales].flatMap((scale, block) =>
    Array.from({ length: 32 }, (_, i) => {
      if (form === 'Q8_0') return scale * (codes[block * 32 + i]! - 128);
      const byte = codes[block * 16 + (i % 16)]!;
      const code = i < 16 ? byte & 15 : byte >> 4;
      return form === 'Q4_1' ? scale * code + minimums![block]! : scale * (code - 8);
    }),
  );
}
