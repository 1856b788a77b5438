import { afterAll, expect, test } from 'vitest';
import type { MatrixForm } from '../../../src/core/models/frozenMatrix.js';
import { openModel } from '../../../src/files/openModel.js';
import { readMatrix } from '../../../src/runtime/readMatrix.js';
import { PassingBuffers } from '../../../src/runtime/streamedBuffers.js';

const stores = {
  quantized: openModel('test/golden/formats/quantized.gguf').weights,
  bfloat16: openModel('test/fixtures/models/llama3-rope').weights,
  float16: openModel('test/fixtures/models/mqa-f16').weights,
};
afterAll(() => Object.values(stores).forEach((store) => store.close()));

const cases = Object.entries(stores).flatMap(([file, store]) =>
  ['model.embed_tokens.weight', 'model.layers.0.self_attn.q_proj.weight', 'model.layers.0.mlp.down_proj.weight'].map((name) => ({
    file,
    store,
    name,
    stored: store.info(name)!.storedType,
  })),
);

test.each(cases)('some rows are read as those of the whole: $name of $file, $stored', ({ store, name, stored }) => {
  const { headDim } = store.config;
  const [rowCount, columns] = store.info(name)!.shape as [number, number];
  const packed: MatrixForm[] = columns % 32 === 0 ? ['Q8_0', 'Q4_1'] : [];
  const asStored: MatrixForm[] = stored === 'BF16' || stored === 'Q4_0' ? [stored] : [];
  const passing = new PassingBuffers();
  for (const form of ['F32', 'F16', ...packed, ...asStored] as const) {
    const whole = readMatrix(store, name, form);
    for (let firstRow = 0; firstRow < rowCount; firstRow += headDim) {
      const rows = Math.min(headDim, rowCount - firstRow);
      const some = readMatrix(store, name, form, passing.allocate, { firstRow, rows });
      expect(some.map(({ suffix, shape }) => [suffix, shape[0]])).toEqual(whole.map(({ suffix }) => [suffix, rows]));
      some.forEach(({ data }, part) => {
        const perRow = whole[part]!.data.length / rowCount;
        expect(data, `${form}, from row ${firstRow}`).toEqual(
          whole[part]!.data.slice(firstRow * perRow, (firstRow + rows) * perRow),
        );
      });
    }
  }
});
