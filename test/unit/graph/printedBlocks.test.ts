import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { backward } from '../../../src/core/graph/autodiff.js';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { optimize } from '../../../src/core/graph/fuse.js';
import { isOp, makeProgram, valuesOf } from '../../../src/core/graph/program.js';
import type { OpAttributes, Program } from '../../../src/core/graph/types.js';
import { formsOfLinears } from '../../../src/core/models/linear.js';
import { linearNames, linearShape } from '../../../src/core/models/linears.js';
import { BlockGraph } from '../../../src/core/train/programs.js';
import { headLossProgram, headSliceProgram } from '../../../src/core/train/vocabularyPrograms.js';
import { llamaConfig } from '../../support/modelConfig.js';
import { printProgram } from '../../support/printProgram.js';

// No two lengths are equal, so that a shape identifies a value.
const config = llamaConfig({
  layerCount: 1,
  hiddenSize: 20,
  intermediateSize: 28,
  headCount: 3,
  keyValueHeadCount: 1,
  headDim: 4,
  vocabSize: 17,
});
const shape = { batchSize: 1, sequenceLength: 5 };
const device = 'cpu';
const lora = { r: 3, alpha: 4, useRslora: false, targetModules: linearNames, layers: null };

const block = (): BlockGraph =>
  new BlockGraph({ config, shape, attentionKind: 0, device, forms: formsOfLinears(() => 'F32'), lora, dropout: 0 });
// Widths that are multiples of the block size.
const blockwise = { ...config, hiddenSize: 64, intermediateSize: 96, headCount: 2, headDim: 16 };
const packedBlock = (): BlockGraph =>
  new BlockGraph({
    config: blockwise,
    shape,
    attentionKind: 0,
    device,
    forms: formsOfLinears((linear) => (linear === 'down_proj' ? 'Q8_0' : 'Q4_1')),
    lora,
    dropout: 0,
  });
const integerBlock = (): BlockGraph =>
  new BlockGraph({ config, shape, attentionKind: 0, device, forms: formsOfLinears(() => 'I8'), lora, dropout: 0 });
const programs: Record<string, () => Program> = {
  'block-forward': () => block().forward(false),
  'block-backward': () => block().backward(true, true),
  'block-backward-optimized': () => optimize(block().backward(true, true)),
  'packed-block-forward': () => packedBlock().forward(false),
  'packed-block-backward': () => packedBlock().backward(true, true),
  'integer-block-forward-optimized': () => optimize(integerBlock().forward(true)),
  'integer-block-backward-optimized': () => optimize(integerBlock().backward(true, true)),
  'head-slice': () => headSliceProgram(config, 4, 9, 'F32', true),
  'head-loss': () => headLossProgram(config, 5, 4, true),
};

// UPDATE_GRAPHS=1 npx vitest run test/unit/graph rewrites them; review the difference before you commit it.
test.each(Object.keys(programs))('the printed program %s is the committed one', (name) => {
  const file = `test/golden/graphs/${name}.txt`;
  const printed = printProgram(programs[name]!());
  if (process.env['UPDATE_GRAPHS']) writeFileSync(file, printed);
  expect(existsSync(file), `${file} exists; UPDATE_GRAPHS=1 writes it`).toBe(true);
  expect(printed).toBe(readFileSync(file, 'utf8'));
});

describe('the backward program of a block', () => {
  test('has no gradient of a frozen weight: nothing computed is shaped like one', () => {
    const frozen = linearNames
      .map((linear) => linearShape(config, linear))
      .flatMap(([rows, columns]) => [`${rows},${columns}`, `${columns},${rows}`]);
    for (const program of [block().backward(true, true), optimize(block().backward(false, true))]) {
      const inputs = new Set(program.inputs.values());
      const computed = valuesOf(program).filter((value) => !inputs.has(value));
      expect(computed.filter((value) => frozen.includes(value.shape.join())).map(({ op, scope }) => `${op} in ${scope}`)).toEqual(
        [],
      );
      expect(computed.length).toBeGreaterThan(50);
    }
  });

  test('repeats no product with a frozen weight that the forward pass has kept', () => {
    const repeated = (keptActivations: boolean): number =>
      valuesOf(block().backward(keptActivations, true)).filter(({ op, attributes, inputs }) => {
        const name = inputs[1] && isOp(inputs[1], 'input') ? inputs[1].attributes.name : '';
        return op === 'matmul' && (attributes as OpAttributes['matmul']).transposeB && /_proj\.weight$/.test(name);
      }).length;
    expect(repeated(true)).toBe(0);
    expect(repeated(false), 'all but down_proj, when nothing is kept').toBe(6);
  });

  test('unpacks each packed weight once, and multiplies it from the left alone', () => {
    const values = valuesOf(packedBlock().backward(true, true));
    const unpacked = values.filter((value) => isOp(value, 'dequantize'));
    expect(unpacked).toHaveLength(linearNames.length);
    for (const weight of unpacked) {
      const users = values.filter(({ inputs }) => inputs.includes(weight));
      expect(users.map(({ op, attributes }) => [op, (attributes as OpAttributes['matmul']).transposeB])).toEqual([
        ['matmul', false],
      ]);
    }
  });

  test('stops where nothing below is trained', () => {
    const lowest = block().backward(true, false);
    expect(lowest.outputs.has('dx')).toBe(false);
    // What only dx needs is gone: the products with the frozen weights of the linears that read the block's input.
    for (const linear of ['q_proj', 'k_proj', 'v_proj']) expect([...lowest.inputs.keys()]).not.toContain(`${linear}.weight`);
    expect([...block().backward(true, true).inputs.keys()]).toContain('q_proj.weight');
  });
});

test.each([false, true].flatMap((transposeA) => [false, true].map((transposeB) => ({ transposeA, transposeB }))))(
  'the gradient of a matmul is matmuls alone: $transposeA, $transposeB',
  (transposes) => {
    const b = new GraphBuilder();
    const [x, y] = [b.input('x', transposes.transposeA ? [3, 2] : [2, 3]), b.input('y', transposes.transposeB ? [4, 3] : [3, 4])];
    const product = b.matmul(x, y, { ...transposes, alpha: 0.5 });
    const [dx, dy] = backward(b, new Map([[product, b.input('upstream', product.shape)]]), [x, y]);
    const ops = valuesOf(makeProgram('gradient', { dx: dx!, dy: dy! })).map(({ op }) => op);
    expect(ops.filter((op) => op !== 'input')).toEqual(['matmul', 'matmul']);
  },
);
