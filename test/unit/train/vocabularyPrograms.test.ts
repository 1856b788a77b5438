import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backward } from '../../../src/core/graph/autodiff.js';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { makeProgram } from '../../../src/core/graph/program.js';
import type { ModelConfig } from '../../../src/core/models/config.js';
import {
  embedProgram,
  headLossProgram,
  headRowsProgram,
  headSliceProgram,
  vocabularySlices,
} from '../../../src/core/train/vocabularyPrograms.js';
import { Random } from '../../../src/core/random.js';
import { evaluate } from '../../support/evaluate.js';
import { expectClose, randomTensor, tensor, type Tensor } from '../../support/tensors.js';

const config = { vocabSize: 23, hiddenSize: 6, rmsNormEpsilon: 1e-5 } as ModelConfig;
const tokens = 7;
const random = new Random(11);
// Widely spread, so that the largest logit moves from slice to slice.
const table = randomTensor([config.vocabSize, config.hiddenSize], random, -30, 30);
const slices = [0, 9, 18].map((firstRow) => {
  const rows = Math.min(9, config.vocabSize - firstRow);
  return { firstRow, rows, weight: rowsOf(table, firstRow, firstRow + rows) };
});

test('slices cover the vocabulary once, in at most two lengths, none larger than devices bind', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300_000 }),
      fc.integer({ min: 1, max: 16_384 }),
      fc.constantFrom('cpu', 'webgpu'),
      (vocabSize, hiddenSize, device) => {
        const lengths = vocabularySlices({ vocabSize, hiddenSize }, device);
        expect(lengths.reduce((next, { firstRow, rows }) => (firstRow === next ? firstRow + rows : NaN), 0)).toBe(vocabSize);
        expect(new Set(lengths.slice(0, -1).map(({ rows }) => rows)).size).toBeLessThanOrEqual(1);
        // WebGPU adapters bind at least 128 MiB (https://www.w3.org/TR/webgpu/#limits).
        for (const { rows } of lengths) expect(rows * hiddenSize * 4).toBeLessThanOrEqual(2 ** 27);
        // Beyond 64 MiB, a buffer of the WebGPU provider takes 128 MiB.
        if (device === 'webgpu') for (const { rows } of lengths) expect(rows * hiddenSize * 4).toBeLessThanOrEqual(2 ** 26);
      },
    ),
  );
});

test('embeddings gathered slice by slice are those of the whole table', () => {
  const ids = [0, 8, 9, 17, 18, 22, 3];
  let x = tensor([tokens, config.hiddenSize], new Float64Array(tokens * config.hiddenSize));
  for (const { firstRow, rows, weight } of slices) {
    const inputs = {
      input_ids: tensor([tokens], ids),
      first_row: tensor([], [firstRow]),
      'embed_tokens.weight': weight,
      x_before: x,
    };
    x = evaluate(embedProgram(config, tokens, rows, 'F32'), new Map(Object.entries(inputs))).get('x')!;
  }
  expect([...x.data]).toEqual(ids.flatMap((id) => [...rowsOf(table, id, id + 1).data]));
});

test('loss and gradient over slices are those of a cross-entropy over the whole vocabulary', () => {
  const [rows, labels] = [
    [6, 0, 3, 1],
    [22, 4, 9, 13],
  ];
  const x = randomTensor([tokens, config.hiddenSize], random);
  const norm = randomTensor([config.hiddenSize], random, 0.5, 2);
  const counted = tensor([4, 1], [1, 1, 0, 1]);

  const b = new GraphBuilder();
  const input = b.input('x', x.shape);
  const normed = b.rmsNorm(
    b.gatherRows(input, b.constant(rows, [4], 'int64')),
    b.input('norm', norm.shape),
    config.rmsNormEpsilon,
  );
  const logits = b.matmul(normed, b.input('table', table.shape), { transposeB: true });
  const oneHot = b.constant(
    labels.flatMap((label) => Array.from({ length: config.vocabSize }, (_, id) => Number(id === label))),
    logits.shape,
  );
  const losses = b.multiply(b.subtract(b.logSumExp(logits), b.sumLast(b.multiply(logits, oneHot))), b.input('counted', [4, 1]));
  const loss = b.reduceSum(losses, [0]);
  const [dx] = backward(b, new Map([[loss, b.constant([1], [1, 1])]]), [input]);
  const expected = evaluate(makeProgram('whole', { loss, dx: dx! }), named({ x, norm, table, counted }));

  const ofRows = { x, rows: tensor([4], rows), 'norm.weight': norm };
  const start = evaluate(headRowsProgram(config, tokens, 4), named(ofRows));
  const zeros = (width: number): Tensor => tensor([4, width], new Float64Array(4 * width));
  const empty = { label_logits: zeros(1), label_rows: zeros(6), expected: zeros(6) };
  let state = named({ log_sum_exp: start.get('log_sum_exp')!, ...empty });
  for (const { firstRow, rows: sliceRows, weight } of slices) {
    const before = [...state].map(([name, value]): [string, Tensor] => [`${name}_before`, value]);
    const inputs = {
      normed: start.get('normed')!,
      labels: tensor([4], labels),
      first_row: tensor([], [firstRow]),
      'lm_head.weight': weight,
    };
    state = new Map(evaluate(headSliceProgram(config, 4, sliceRows, 'F32', true), new Map([...before, ...named(inputs)])));
  }
  const sumsBefore = {
    loss_sum_before: tensor([1, 1], [100]),
    dx_before: tensor(x.shape, new Float64Array(x.data.length).fill(1)),
  };
  const sums = evaluate(
    headLossProgram(config, tokens, 4, true),
    new Map([...named(ofRows), ...state, ...named({ counted, ...sumsBefore })]),
  );
  expectClose(sums.get('loss_sum')!.data, [100 + expected.get('loss')!.data[0]!], 1e-12, 'loss');
  expectClose(
    sums.get('dx')!.data,
    expected.get('dx')!.data.map((value) => 1 + value),
    1e-12,
    'dx',
  );
});

function rowsOf({ shape, data }: Tensor, start: number, end: number): Tensor {
  const width = shape[1]!;
  return tensor([end - start, width], data.slice(start * width, end * width));
}

function named(values: Record<string, Tensor>): Map<string, Tensor> {
  return new Map(Object.entries(values));
}
