import { expect, test } from 'vitest';
import { causalBlocks } from '../../../src/core/graph/attention.js';
import { backward } from '../../../src/core/graph/autodiff.js';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { optimize } from '../../../src/core/graph/fuse.js';
import { makeProgram, valuesOf } from '../../../src/core/graph/program.js';
import type { Program } from '../../../src/core/graph/types.js';
import { Random } from '../../../src/core/random.js';
import { elementCount } from '../../../src/core/shape.js';
import { userErrorOf } from '../formats/memorySource.js';
import { evaluate } from '../../support/evaluate.js';
import { expectClose, randomTensor, tensor } from '../../support/tensors.js';

const length = 130; // three blocks of queries; the last has two
const attributes = { heads: 2, keyValueHeads: 1, headDim: 4, scale: 0.5 };

function attentionAndGradients(causal: boolean): Program {
  const b = new GraphBuilder();
  const [query, key, value] = [
    b.input('query', [2, length, 8]),
    b.input('key', [2, length, 4]),
    b.input('value', [2, length, 4]),
  ];
  const mask = b.input('mask', [2, 1, length, length]);
  const masks = causal
    ? causalBlocks(2, length, 2, 'cpu').map(({ start, end, keys }) => b.slice(b.slice(mask, 2, start, end), 3, 0, keys))
    : [mask];
  const output = b.attention(query, key, value, masks, attributes);
  const [dQuery, dKey, dValue] = backward(b, new Map([[output, b.input('dOutput', output.shape)]]), [query, key, value]);
  return optimize(makeProgram('attention', { output, dQuery: dQuery!, dKey: dKey!, dValue: dValue! }));
}

test('what a causal mask hides is left out without a trace, forward and backward', () => {
  // The second sequence holds two packed examples.
  const masks = [length, 70].flatMap((start) =>
    Array.from({ length: length * length }, (_, i) => {
      const [query, key] = [Math.floor(i / length), i % length];
      return key <= query && (query < start || key >= start) ? 0 : -1e30;
    }),
  );
  const random = new Random(3);
  const values = new Map(
    ['query', 'key', 'value', 'dOutput'].map((name) => [
      name,
      randomTensor([2, length, name === 'key' || name === 'value' ? 4 : 8], random),
    ]),
  );
  values.set('mask', tensor([2, 1, length, length], masks));

  const [inBlocks, atOnce] = [attentionAndGradients(true), attentionAndGradients(false)];
  const expected = evaluate(atOnce, values);
  for (const [name, { data }] of evaluate(inBlocks, values)) expectClose(data, expected.get(name)!.data, 1e-12, name);

  const scores = (program: Program): number =>
    valuesOf(program).reduce((total, { op, shape }) => total + (op === 'softmax' ? elementCount(shape) : 0), 0);
  expect(scores(inBlocks) / scores(atOnce)).toBeLessThan(0.75);
});

test.each(['cpu', 'webgpu'] as const)(
  '%s: a length that would take a program of thousands of operations is refused, with one that can be computed',
  (device) => {
    const refusal = /one row of 131072 tokens is more than can be computed here\. Lower data\.max_seq_length to (\d+)\./;
    const blocks = (tokens: number) => causalBlocks(1, tokens, 32, device);
    expect(() => blocks(131_072)).toThrow(refusal);
    const [, longest] = refusal.exec(userErrorOf(() => blocks(131_072)).message)!;
    expect(blocks(Number(longest)).length).toBeLessThanOrEqual(256);
    expect(() => blocks(Number(longest) + 32)).toThrow();
  },
);
