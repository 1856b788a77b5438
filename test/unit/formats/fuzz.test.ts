/** @file Arbitrary bytes: a reader either reads them or soon reports in one UserError which file is wrong. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ByteSource } from '../../../src/core/formats/byteSource.js';
import { parseGguf } from '../../../src/core/formats/gguf.js';
import { parseSafetensors } from '../../../src/core/formats/safetensors.js';
import { parseTorchFile } from '../../../src/core/formats/torchFile.js';
import { damagedCopies } from './damagedCopies.js';
import { goldenPath, memorySource, passesOrNames } from './memorySource.js';

const file = 'the-file';
const enoughTime = 1000; // milliseconds; an undamaged file takes one

interface Place {
  readonly offset: number;
  readonly byteLength: number;
}

const readers: [string, string, (source: ByteSource) => { tensors: ReadonlyMap<string, Place> }][] = [
  ['safetensors', 'formats/types.safetensors', parseSafetensors],
  ['GGUF', 'formats/blocks.gguf', parseGguf],
  ['PyTorch', 'torch/tensors.pth', parseTorchFile],
];

test.each(readers)('%s', (_, golden, parse) => {
  const original = readFileSync(goldenPath(golden));
  const outcomes = { read: 0, refused: 0 };
  fc.assert(
    fc.property(damagedCopies(original), (bytes) => {
      const start = performance.now();
      const passed = passesOrNames(file, () => {
        for (const { offset, byteLength } of parse(memorySource(bytes, file)).tensors.values()) {
          expect(offset + byteLength).toBeLessThanOrEqual(bytes.length);
        }
      });
      expect(performance.now() - start).toBeLessThan(enoughTime);
      outcomes[passed ? 'read' : 'refused']++;
    }),
    { numRuns: 3000 },
  );
  // Both outcomes must occur, or the damage would prove nothing.
  expect(outcomes.read).toBeGreaterThan(50);
  expect(outcomes.refused).toBeGreaterThan(500);
});
