import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headChunks } from '../../../src/core/train/headChunks.js';
import { batchOf } from '../../support/batches.js';

test('the chunks hold every labelled row once, with its label, and no row twice', () => {
  const sizes = new Set<number>();
  const shapes = fc.record({
    batchSize: fc.integer({ min: 1, max: 4 }),
    sequenceLength: fc.integer({ min: 2, max: 300 }),
    share: fc.integer({ min: 0, max: 10 }),
  });
  fc.assert(
    fc.property(shapes, ({ batchSize, sequenceLength, share }) => {
      const ids = Array.from({ length: batchSize }, (_, row) =>
        Array.from({ length: sequenceLength }, (_, t) => row * sequenceLength + t),
      );
      const batch = batchOf(
        ids,
        ids.map((row) => row.map((id) => ((id * 7) % 10 < share ? id : -100))),
      );
      const found = new Map<number, number>();
      const chunks = [...headChunks(batch)];
      expect(chunks.length, 'few chunks').toBe(Math.ceil([...batch.labels].filter((label) => label !== -100).length / 512));
      for (const { rows, labels, counted } of chunks) {
        if (rows.length !== batch.labels.length) sizes.add(rows.length);
        expect([labels.length, counted.length]).toEqual([rows.length, rows.length]);
        expect(counted.filter((count) => count === 0).length, 'padding').toBeLessThan(64);
        expect(new Set(rows).size, 'distinct rows').toBe(rows.length);
        counted.forEach((count, i) => count && found.set(Number(rows[i]), Number(labels[i])));
        expect(Math.max(...Array.from(rows, Number))).toBeLessThan(batch.labels.length);
      }
      expect([...found]).toEqual([...batch.labels.entries()].filter(([, label]) => label !== -100));
    }),
  );
  expect(
    [...sizes].every((size) => size % 64 === 0 && size <= 512),
    'few sizes',
  ).toBe(true);
});
