import { describe, expect, test } from 'vitest';
import { shapes } from '../../../bench/shapes.js';
import { decodeLayersProgram, growCacheProgram } from '../../../src/core/generate/decodePrograms.js';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { optimize } from '../../../src/core/graph/fuse.js';
import { isOp, makeProgram, valuesOf } from '../../../src/core/graph/program.js';
import { tensorBytes, type Program } from '../../../src/core/graph/types.js';
import type { ModelConfig } from '../../../src/core/models/config.js';
import type { MatrixForm } from '../../../src/core/models/frozenMatrix.js';
import { formsOfLinears } from '../../../src/core/models/linear.js';
import { linearNames } from '../../../src/core/models/linears.js';
import { BlockGraph, maskProgram } from '../../../src/core/train/programs.js';
import { BindingLimit, guaranteedBytes } from '../../../src/runtime/bindingLimit.js';

const mebibyte = 2 ** 20;

/** A device that computes only the first `bytes` of a softmax, as ONNX Runtime does beyond a limit. */
function deviceReaching(bytes: number): { limit: BindingLimit; tried: number[] } {
  const tried: number[] = [];
  const evaluate = (program: Program): Promise<number> => {
    const largest = Math.max(...valuesOf(program).map(tensorBytes));
    tried.push(largest / mebibyte);
    return Promise.resolve(largest <= bytes ? 1 : 0);
  };
  return { limit: new BindingLimit(evaluate), tried };
}

function doubling(name: string, bytes: number): Program {
  const b = new GraphBuilder();
  const x = b.input(name, [bytes / 1024, 256]);
  return makeProgram('doubling', { y: b.add(x, x) });
}

const config8B = shapes['llama-3.1-8b'];

function blockOf8B(sequenceLength: number, form: MatrixForm): BlockGraph {
  const lora = { r: 8, alpha: 16, useRslora: false, targetModules: linearNames, layers: null };
  const shape = { batchSize: 1, sequenceLength };
  return new BlockGraph({
    config: config8B,
    shape,
    attentionKind: 0,
    device: 'webgpu',
    forms: formsOfLinears(() => form),
    lora,
    dropout: 0,
  });
}

test('what every device reaches is not tried; larger sizes once', async () => {
  const { limit, tried } = deviceReaching(512 * mebibyte);
  for (const size of [1, 128, 256, 200, 512, 256, 600, 700]) {
    const checking = limit.check(doubling('x', size * mebibyte));
    await (size <= 512 ? expect(checking).resolves.toBeUndefined() : expect(checking).rejects.toThrow());
  }
  expect(tried).toEqual([256, 512, 600]);
});

test('the message says how large, what, and what to lower', async () => {
  const { limit } = deviceReaching(guaranteedBytes);
  await expect(limit.check(doubling('x', 200 * mebibyte))).rejects.toThrow(
    'The GPU reaches tensors of at most 128 MiB, but one of 200 MiB is needed ([204800 × 256] doubling). Lower train.batch_size or data.max_seq_length',
  );
  await expect(limit.check(doubling('gate_proj.weight', 200 * mebibyte))).rejects.toThrow(
    'This model has weights too large for it: set the device to "cpu".',
  );
  await expect(
    limit.check(growCacheProgram({ keyValueHeadCount: 8, headDim: 128 } as ModelConfig, 32_768, 65_536)),
  ).rejects.toThrow('Shorten the prompt, or set the device to "cpu".');
});

test.each(['F16', 'Q4_0', 'Q4_1', 'Q8_0'] as const)(
  'an 8B model in %s has weights too large, whatever is read with them',
  async (form) => {
    const { limit } = deviceReaching(guaranteedBytes);
    await expect(limit.check(optimize(blockOf8B(16, form).forward(true)))).rejects.toThrow(
      /one of 224 MiB is needed .* This model has weights too large for it/,
    );
  },
);

test('so has one whose layers are generated with in fp32', async () => {
  const { limit } = deviceReaching(guaranteedBytes);
  const { program } = decodeLayersProgram(config8B, 0, 1, () => 'F32');
  await expect(limit.check(optimize(program))).rejects.toThrow('This model has weights too large for it');
});

describe.each([2048, 8192])('the block of an 8B model over %d tokens', (sequenceLength) => {
  const block = blockOf8B(sequenceLength, 'F16');
  const programs = [
    maskProgram(config8B, { batchSize: 1, sequenceLength }, null, 'webgpu'),
    block.forward(false),
    block.backward(false, true),
  ].map(optimize);

  test('holds no mask, score or probability above what every device reaches', () => {
    const values = programs.flatMap(valuesOf);
    const scores = values.filter((value) => value.shape.length >= 4);
    expect(scores.some((value) => isOp(value, 'softmax'))).toBe(true);
    expect(Math.max(...scores.map(tensorBytes))).toBeLessThanOrEqual(guaranteedBytes);
  });

  test('holds whole activations, which a device has to reach', () => {
    const activations = programs
      .flatMap(valuesOf)
      .filter(({ shape: [first], scope }) => first === sequenceLength && scope.includes('mlp'));
    expect(Math.max(...activations.map(tensorBytes))).toBe(4 * sequenceLength * config8B.intermediateSize);
  });
});
