import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { addLora, reduceForLora, type LoraShape } from '../../../src/core/adapters/lora.js';
import { backward } from '../../../src/core/graph/autodiff.js';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { makeProgram } from '../../../src/core/graph/program.js';
import type { Value } from '../../../src/core/graph/types.js';
import { ropeTables } from '../../../src/core/models/rope.js';
import { elementCount, type Shape } from '../../../src/core/shape.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { evaluate } from '../../support/evaluate.js';
import { runOnDevice } from '../../support/runProgram.js';
import { expectClose, tensor, type Tensor } from '../../support/tensors.js';

interface Numbers {
  readonly shape: number[];
  readonly data: number[];
}
/** Made by test/golden/make_ops.py from PyTorch in double precision. */
interface Golden {
  readonly attributes: {
    epsilon: number;
    ropeTheta: number;
    positionIds: number[][];
    segmentIds: number[][];
    labels: number[];
    scale: number;
    weight: Numbers;
    bias: Numbers;
  };
  readonly inputs: Record<string, Numbers>;
  readonly output: Numbers;
  readonly upstream: Numbers;
  readonly gradients: Record<string, Numbers>;
}
type Build = (
  b: GraphBuilder,
  inputs: Record<string, Value>,
  golden: Golden,
  given: (name: string, numbers: Numbers, dtype?: 'int64') => Value,
) => Value;

const builds: Record<string, Build> = {
  rms_norm: (b, { x, weight }, { attributes }) => b.rmsNorm(x!, weight!, attributes.epsilon),
  swiglu: (b, { gate, up }) => b.swiglu(gate!, up!),
  rope: (b, { x }, { attributes: { ropeTheta, positionIds } }, given) => {
    const [batch, heads, sequence, headDim] = x!.shape as [number, number, number, number];
    const { cos, sin } = ropeTables({ theta: ropeTheta, scaling: { type: 'none' } }, headDim, sequence);
    const table = (name: string, values: Float32Array): Value =>
      given(name, { shape: [sequence, headDim / 2], data: [...values] });
    const positions = given('positions', { shape: [batch, sequence], data: positionIds.flat() }, 'int64');
    const turned = b.rope(joinHeads(b, x!), positions, table('cos', cos), table('sin', sin));
    return b.transpose(b.reshape(turned, [batch, sequence, heads, headDim]), [0, 2, 1, 3]);
  },
  attention: (b, { query, key, value }, { attributes: { segmentIds } }, given) => {
    const [batch, heads, length, headDim] = query!.shape as [number, number, number, number];
    const seen = segmentIds.flatMap((row) =>
      row.flatMap((own, t) => row.map((other, k) => (k <= t && own === other ? 0 : -1e30))),
    );
    const mask = given('mask', { shape: [batch, 1, length, length], data: seen });
    const attributes = { heads, keyValueHeads: key!.shape[1]!, headDim, scale: 1 / Math.sqrt(headDim) };
    const output = b.attention(joinHeads(b, query!), joinHeads(b, key!), joinHeads(b, value!), [mask], attributes);
    const counted = given('counted', {
      shape: [batch, 1, length, 1],
      data: segmentIds.flat().map((segment) => Number(segment >= 0)),
    });
    return b.multiply(b.transpose(b.reshape(output, [batch, length, heads, headDim]), [0, 2, 1, 3]), counted);
  },
  // As in the training head: log Σ exp minus the label's logit, over the labelled rows.
  cross_entropy: (b, { logits }, { attributes: { labels } }, given) => {
    const rows = labels.map((label, row) => ({ label, row })).filter(({ label }) => label >= 0);
    const kept = b.gatherRows(logits!, given('rows', { shape: [rows.length], data: rows.map(({ row }) => row) }, 'int64'));
    const oneHot = given('labels', {
      shape: kept.shape as number[],
      data: rows.flatMap(({ label }) => Array.from({ length: kept.shape[1]! }, (_, i) => Number(i === label))),
    });
    const losses = b.subtract(b.logSumExp(kept), b.sumLast(b.multiply(kept, oneHot)));
    return b.reshape(b.reduceSum(losses, [0]), []);
  },
  lora_linear: (b, { x, loraA, loraB }, { attributes: { scale, weight, bias } }, given) => {
    const lora: LoraShape = { r: 2, alpha: 2 * scale, useRslora: false, targetModules: ['q_proj'], layers: null };
    const flat = b.reshape(x!, [6, 5]);
    const base = b.add(b.matmul(flat, given('weight', weight), { transposeB: true }), given('bias', bias));
    const parameters = new Map([
      ['q_proj.lora_A.weight', loraA!],
      ['q_proj.lora_B.weight', loraB!],
    ]);
    return b.reshape(addLora(b, lora, 'q_proj', base, reduceForLora(b, lora, 'q_proj', flat, parameters), parameters), [2, 3, 6]);
  },
};

const device = new CpuDevice(1);
afterAll(() => device.dispose());

test.each(Object.keys(builds))('%s and its gradients are PyTorch’s', async (name) => {
  const golden = JSON.parse(readFileSync(`test/golden/ops/${name}.json`, 'utf8')) as Golden;
  const values = new Map<string, Tensor>();
  const b = new GraphBuilder();
  const given = (input: string, { shape, data }: Numbers, dtype: 'float32' | 'int64' = 'float32'): Value => {
    values.set(input, tensor(shape, data));
    return b.input(input, shape, dtype);
  };
  const inputs = Object.fromEntries(Object.entries(golden.inputs).map(([input, numbers]) => [input, given(input, numbers)]));
  const output = builds[name]!(b, inputs, golden, given);
  const derivatives = backward(b, new Map([[output, given('upstream', golden.upstream)]]), Object.values(inputs));
  const gradients = Object.keys(inputs).map((input, i) => [`gradient of ${input}`, derivatives[i]!] as const);
  const program = makeProgram(name, { output, ...Object.fromEntries(gradients) });

  const expected = new Map([
    ['output', golden.output],
    ...Object.entries(golden.gradients).map(([input, numbers]) => [`gradient of ${input}`, numbers] as const),
  ]);
  const inDoublePrecision = evaluate(program, values);
  const onDevice = await runOnDevice(device, program, values);
  for (const [what, { shape, data }] of expected) {
    expect(inDoublePrecision.get(what)!.shape).toEqual(shape);
    // Our angles are rounded to fp32, as in transformers.
    expectClose(inDoublePrecision.get(what)!.data, data, name === 'rope' ? 1e-6 : 1e-12, `${what}, in double precision`);
    expectClose(onDevice.get(what)!.data, data, 1e-5, `${what}, by ONNX Runtime`);
  }
});

/** [batch, heads, sequence, headDim], as PyTorch has it → [batch, sequence, heads · headDim]. */
function joinHeads(b: GraphBuilder, x: Value): Value {
  const [batch, heads, sequence, headDim] = x.shape as [number, number, number, number];
  return b.reshape(b.transpose(x, [0, 2, 1, 3]), [batch, sequence, elementCount([heads, headDim] as Shape)]);
}
