import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { optimize } from '../../../src/core/graph/fuse.js';
import { isOp, makeProgram, valuesOf } from '../../../src/core/graph/program.js';
import { tensorBytes, type Program } from '../../../src/core/graph/types.js';
import type { LlamaConfig } from '../../../src/core/llama/config.js';
import { linearNames, type LinearName } from '../../../src/core/llama/weights.js';
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
    'The GPU reaches tensors of at most 128 MiB, but a step needs one of 200 MiB ([204800 × 256] doubling). Lower train.batch_size or data.max_seq_length',
  );
  await expect(limit.check(doubling('gate_proj.weight', 200 * mebibyte))).rejects.toThrow('This model has weights too large for it: set engine.device to "cpu".');
});

describe.each([2048, 8192])('the block of an 8B model over %d tokens', (sequenceLength) => {
  const config = {
    hiddenSize: 4096,
    intermediateSize: 14336,
    headCount: 32,
    keyValueHeadCount: 8,
    headDim: 128,
    rmsNormEpsilon: 1e-5,
    attentionBias: false,
    mlpBias: false,
  } as LlamaConfig;
  const shape = { batchSize: 1, sequenceLength };
  const forms = Object.fromEntries(linearNames.map((linear) => [linear, 'F16'])) as Record<LinearName, 'F16'>;
  const lora = { r: 8, alpha: 16, useRslora: false, targetModules: linearNames, layers: null };
  const block = new BlockGraph({ config, shape, device: 'webgpu', forms, lora, dropout: 0 });
  const programs = [maskProgram(config, shape, 'webgpu'), block.forward(false), block.backward(false, true)].map(optimize);

  test('holds no mask, score or probability above what every device reaches', () => {
    const values = programs.flatMap(valuesOf);
    const scores = values.filter((value) => value.shape.length >= 4);
    expect(scores.some((value) => isOp(value, 'softmax'))).toBe(true);
    expect(Math.max(...scores.map(tensorBytes))).toBeLessThanOrEqual(guaranteedBytes);
  });

  test('holds whole activations, which a device has to reach', () => {
    const activations = programs.flatMap(valuesOf).filter(({ shape: [first], scope }) => first === sequenceLength && scope.includes('mlp'));
    expect(Math.max(...activations.map(tensorBytes))).toBe(4 * sequenceLength * config.intermediateSize);
  });
});
