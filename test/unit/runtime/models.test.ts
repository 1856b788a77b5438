import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Adapter } from '../../../src/core/adapters/peft.js';
import { quantizeQ4 } from '../../../src/core/formats/quantizeQ4.js';
import { blockFormats } from '../../../src/core/formats/ggmlBlocks.js';
import type { WeightStore } from '../../../src/core/llama/weights.js';
import type { HostTensor } from '../../../src/core/train/stepRunner.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { readTensorFile } from '../../../src/files/tensorFile.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { createTextModel } from '../../../src/runtime/onnxTextModel.js';
import { batchOf } from '../../support/batches.js';
import { expectClose, relativeDifference } from '../../support/tensors.js';
import { createTrainer, expectParametersClose, mapParameters, takeGradients } from '../../support/trainer.js';

/** Made by test/golden/make_models.py from transformers and PEFT. */
interface Golden {
  readonly input_ids: number[][];
  readonly labels: number[][];
  readonly label_tokens: number;
  readonly loss: number;
  readonly lora?: { readonly adapter: string; readonly loss: number };
}

const varieties = ['tiny-llama', 'gqa-tied', 'llama3-rope', 'linear-rope-biases', 'mqa-f16'];
const adapted = ['gqa-tied', 'linear-rope-biases', 'mqa-f16'];

function golden(variety: string): { golden: Golden; tensors: ReadonlyMap<string, HostTensor>; adapter: Adapter | null } {
  const facts = JSON.parse(readFileSync(`test/golden/models/${variety}.json`, 'utf8')) as Golden;
  return {
    golden: facts,
    tensors: readTensorFile(`test/golden/models/${variety}.safetensors`),
    adapter: facts.lora ? readAdapterFolder(`test/golden/models/${facts.lora.adapter}`) : null,
  };
}

/** Logits [sequence, vocabulary] of a row, one position at a time. */
async function expectLogits(weights: WeightStore, ids: readonly number[][], adapter: Adapter | null, expected: HostTensor): Promise<void> {
  const model = await createTextModel(weights, new CpuDevice(2), 'fp32');
  const [, length, vocabulary] = expected.shape as [number, number, number];
  const at = (row: number, position: number): Float32Array => {
    const start = (row * length + position) * vocabulary;
    return expected.data.subarray(start, start + vocabulary);
  };
  for (const position of [0, Math.floor(length / 2), length - 1]) {
    for (const [row, prompt] of ids.entries()) {
      // The rows differ from the start, so that each is read as a whole.
      expectClose(await model.logits(prompt.slice(0, position + 1), adapter, 1), at(row, position), 2e-5, `row ${row}, ${position + 1} tokens at once`);
    }
  }
  for (const [row, prompt] of ids.entries()) {
    for (let position = 0; position < length; position++) {
      expectClose(await model.logits(prompt.slice(0, position + 1), adapter, 1), at(row, position), 2e-5, `row ${row}, token ${position} after the others`);
    }
  }
  await model.dispose();
}

describe('logits are those of transformers and PEFT', () => {
  test.each(varieties)('%s', async (variety) => {
    const { golden: { input_ids }, tensors, adapter } = golden(variety);
    const { weights } = openModel(`test/fixtures/models/${variety}`);
    await expectLogits(weights, input_ids, null, tensors.get('logits')!);
    if (adapter) await expectLogits(weights, input_ids, adapter, tensors.get('lora_logits')!);
  });

  // One layer only; α/√r; ranks and alphas of their own; stored in bf16.
  test.each(['one-layer', 'rslora', 'patterns', 'bf16'])('the adapter %s', async (name) => {
    const { model, input_ids } = JSON.parse(readFileSync(`test/golden/adapters/${name}.json`, 'utf8')) as { model: string; input_ids: number[][] };
    const expected = readTensorFile(`test/golden/adapters/${name}.safetensors`).get('logits')!;
    await expectLogits(openModel(`test/fixtures/models/${model}`).weights, input_ids, readAdapterFolder(`test/golden/adapters/${name}`), expected);
  });
});

describe('losses are those of transformers and PEFT', () => {
  test.each(varieties)('%s', async (variety) => {
    const { golden: facts, adapter } = golden(variety);
    const lora = adapter ?? { lora: { r: 1, alpha: 1, useRslora: false, targetModules: ['q_proj' as const], layers: null }, parameters: new Map<string, HostTensor>() };
    const batch = batchOf(facts.input_ids, facts.labels);
    const runner = await createTrainer(variety, lora);
    const { lossSum, labelTokens } = await runner.evaluate(batch);
    expect(labelTokens).toBe(facts.label_tokens);
    expectClose([lossSum / labelTokens], [facts.lora?.loss ?? facts.loss], 1e-6, 'loss');
    if (adapter) {
      await runner.importState({ parameters: mapParameters(adapter.parameters, (data) => data.fill(0)), firstMoments: new Map(), secondMoments: new Map() });
      expectClose([(await runner.evaluate(batch)).lossSum / labelTokens], [facts.loss], 1e-6, 'loss with an adapter of zeros');
    }
    await runner.dispose();
  });
});

describe('gradients are those of PEFT', () => {
  test.each(adapted)('%s', async (variety) => {
    const { golden: facts, tensors, adapter } = golden(variety);
    const batch = batchOf(facts.input_ids, facts.labels);
    const taken = [];
    for (const gradientCheckpointing of [false, true]) {
      const runner = await createTrainer(variety, adapter!, { gradientCheckpointing });
      const { lossSum, labelTokens } = await runner.accumulate(batch, 0);
      expectClose([lossSum / labelTokens], [facts.lora!.loss], 1e-6, 'loss');
      taken.push(mapParameters(await takeGradients(runner), (data) => data.map((sum) => sum / labelTokens)));
      await runner.dispose();
    }
    const [kept, recomputed] = taken;
    const ofParameters = new Map([...tensors].filter(([name]) => name.includes('lora_A') || name.includes('lora_B')));
    expect([...kept!.keys()].sort()).toEqual([...ofParameters.keys()].sort());
    expectParametersClose(kept!, ofParameters, 2e-5);
    expectParametersClose(recomputed!, kept!, 1e-6);
  });
});

describe('how the base is held', () => {
  test('a model of fp16 weights trains from fp16 as from fp32', async () => {
    const { golden: facts, adapter } = golden('mqa-f16');
    const gradients = [];
    for (const baseDType of ['fp32', 'fp16'] as const) {
      const runner = await createTrainer('mqa-f16', adapter!, { baseDType });
      await runner.accumulate(batchOf(facts.input_ids, facts.labels), 0);
      gradients.push(await takeGradients(runner));
      await runner.dispose();
    }
    expectParametersClose(gradients[1]!, gradients[0]!, 1e-6);
  });

  test('int4 is Q4_0: the same as training on weights rounded to it', async () => {
    const { golden: facts, adapter } = golden('gqa-tied');
    const { weights } = openModel('test/fixtures/models/gqa-tied');
    const losses = [];
    for (const [baseDType, store] of [['int4', weights], ['fp32', changed(weights, roundToQ4)], ['fp32', weights]] as const) {
      const runner = await createTrainer('gqa-tied', adapter!, { baseDType, weights: store });
      losses.push((await runner.accumulate(batchOf(facts.input_ids, facts.labels), 0)).lossSum);
      await runner.dispose();
    }
    expectClose([losses[0]!], [losses[1]!], 1e-6, 'loss');
    expect(Math.abs(losses[0]! - losses[2]!) / losses[2]!).toBeGreaterThan(1e-4);
  });

  test('a GGUF in blocks of 4 to 8 bits, decoded layer by layer, is the GGUF decoded at once', async () => {
    const { weights } = openModel('test/golden/formats/quantized.gguf');
    const { vocabSize } = weights.config;
    const lora = { lora: { r: 2, alpha: 2, useRslora: false, targetModules: ['q_proj' as const], layers: null }, parameters: new Map<string, HostTensor>() };
    const batch = batchOf([Array.from({ length: 16 }, (_, i) => (i * 7 + 3) % vocabSize)]);
    const losses = [];
    for (const baseDType of ['fp32', 'int4'] as const) {
      const runner = await createTrainer('', lora, { baseDType, weights });
      losses.push((await runner.evaluate(batch)).lossSum);
      await runner.dispose();
    }
    expectClose([losses[1]!], [losses[0]!], 1e-6, 'loss');
  });

  // Weights rounded in plain arithmetic leave only the rounding of the activations to 8 bits to explain.
  test.each(['int8', 'int4'] as const)('logits from %s weights are those of the rounded weights', async (dtype) => {
    const { golden: { input_ids: [prompt] } } = golden('tiny-llama');
    const { weights } = openModel('test/fixtures/models/tiny-llama');
    const logits = [];
    for (const [decodeDType, store] of [[dtype, weights], ['fp32', changed(weights, roundToBlocks(dtype))], ['fp32', weights]] as const) {
      const model = await createTextModel(store, new CpuDevice(2), decodeDType);
      logits.push(await model.logits(prompt!, null, 1));
      await model.dispose();
    }
    const [quantized, rounded, exact] = logits as [Float32Array, Float32Array, Float32Array];
    expect(relativeDifference(quantized, rounded)).toBeLessThan(0.03);
    expect(relativeDifference(quantized, exact), 'it is quantized indeed').toBeGreaterThan(1e-5);
    if (dtype === 'int4') expect(relativeDifference(rounded, exact), 'the weights are what costs').toBeGreaterThan(0.03);
  });
});

type Round = (values: Float32Array, columns: number) => void;

/** As training holds int4: rows that do not divide into blocks stay as they are. */
function roundToQ4(values: Float32Array, columns: number): void {
  const { bytes, elements, decode } = blockFormats.Q4_0;
  if (columns % elements !== 0) return;
  const blocks = quantizeQ4(values);
  for (let at = 0, to = 0; at < blocks.length; at += bytes, to += elements) decode(blocks, at, values, to);
}

/** As decoding holds them: blocks of 32 along each row, the value of largest magnitude at the end of the range. */
function roundToBlocks(dtype: 'int8' | 'int4'): Round {
  const end = dtype === 'int8' ? 128 : 8;
  return (values, columns) => {
    for (let row = 0; row < values.length; row += columns) {
      for (let start = row; start < row + columns; start += 32) {
        const block = values.subarray(start, Math.min(start + 32, row + columns));
        const largest = block.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
        block.forEach((value, i) => (block[i] = largest === 0 ? 0 : (Math.min(end - 1, Math.round((value * -end) / largest)) * largest) / -end));
      }
    }
  };
}

/** The store with every matrix of the linears and of the output layer rounded. */
function changed(store: WeightStore, round: Round): WeightStore {
  return {
    config: store.config,
    info: (name) => store.info(name),
    names: () => store.names(),
    readStored: (name) => store.readStored(name),
    close: () => store.close(),
    readFloat32(name) {
      const values = store.readFloat32(name);
      if (/(_proj|lm_head)\.weight$/.test(name)) round(values, store.info(name)!.shape[1]!);
      return values;
    },
  };
}
