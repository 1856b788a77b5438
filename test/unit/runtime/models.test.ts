import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Adapter } from '../../../src/core/adapters/peft.js';
import { decodeLayersProgram } from '../../../src/core/generate/decodePrograms.js';
import type { Constants } from '../../../src/core/graph/lower.js';
import type { Program, Value } from '../../../src/core/graph/types.js';
import { linearNames } from '../../../src/core/models/linears.js';
import type { WeightStore } from '../../../src/core/models/weights.js';
import { elementCount } from '../../../src/core/shape.js';
import { initialLoraState } from '../../../src/core/train/loraInit.js';
import { Random } from '../../../src/core/random.js';
import type { HostTensor } from '../../../src/core/formats/hostTensor.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { readTensorFile } from '../../../src/files/tensorFile.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { basePrecisions, linearForm, matrixForm } from '../../../src/core/models/matrixForm.js';
import { decodeConstants } from '../../../src/runtime/decodeConstants.js';
import { loadTextModel } from '../../../src/runtime/engine.js';
import { createTextModel } from '../../../src/runtime/onnxTextModel.js';
import { saturates } from '../../../src/runtime/saturates.js';
import { batchOf } from '../../support/batches.js';
import { evaluate } from '../../support/evaluate.js';
import { expectClose, randomTensor, relativeDifference, tensor, type Tensor } from '../../support/tensors.js';
import { createTrainer, expectParametersClose, mapParameters, takeGradients } from '../../support/trainer.js';

/** Made by test/golden/make_models.py from transformers and PEFT. */
interface Golden {
  readonly input_ids: number[][];
  readonly labels: number[][];
  readonly label_tokens: number;
  readonly loss: number;
  readonly lora?: { readonly adapter: string; readonly loss: number };
}

const adapted = ['gqa-tied', 'linear-rope-biases', 'mqa-f16', 'yarn-rope', 'qwen2', 'qwen3', 'mistral', 'smollm3', 'gemma3'];
const varieties = ['tiny-llama', 'llama3-rope', ...adapted];

function golden(variety: string): { golden: Golden; tensors: ReadonlyMap<string, HostTensor>; adapter: Adapter | null } {
  const facts = JSON.parse(readFileSync(`test/golden/models/${variety}.json`, 'utf8')) as Golden;
  return {
    golden: facts,
    tensors: readTensorFile(`test/golden/models/${variety}.safetensors`),
    adapter: facts.lora ? readAdapterFolder(`test/golden/models/${facts.lora.adapter}`) : null,
  };
}

/** Checks the logits [sequence, vocabulary] of each row, one position at a time. */
async function expectLogits(
  weights: WeightStore,
  ids: readonly number[][],
  adapter: Adapter | null,
  expected: HostTensor,
): Promise<void> {
  const model = await createTextModel(weights, new CpuDevice(2), 'fp32');
  const [, length, vocabulary] = expected.shape as [number, number, number];
  const at = (row: number, position: number): Float32Array => {
    const start = (row * length + position) * vocabulary;
    return expected.data.subarray(start, start + vocabulary);
  };
  for (const position of [0, Math.floor(length / 2), length - 1]) {
    for (const [row, prompt] of ids.entries()) {
      // The rows differ from the start, so each is read as a whole.
      expectClose(
        await model.logits(prompt.slice(0, position + 1), adapter, 1),
        at(row, position),
        2e-5,
        `row ${row}, ${position + 1} tokens at once`,
      );
    }
  }
  for (const [row, prompt] of ids.entries()) {
    for (let position = 0; position < length; position++) {
      expectClose(
        await model.logits(prompt.slice(0, position + 1), adapter, 1),
        at(row, position),
        2e-5,
        `row ${row}, token ${position} after the others`,
      );
    }
  }
  await model.dispose();
}

describe('logits are those of transformers and PEFT', () => {
  test.each(varieties)('%s', async (variety) => {
    const {
      golden: { input_ids },
      tensors,
      adapter,
    } = golden(variety);
    const { weights } = openModel(`test/fixtures/models/${variety}`);
    await expectLogits(weights, input_ids, null, tensors.get('logits')!);
    if (adapter) await expectLogits(weights, input_ids, adapter, tensors.get('lora_logits')!);
  });

  // Made by test/golden/make_torch.py: fp16; two shards; two shards and scaled rotation; a tied head.
  test.each(['llama1', 'llama2', 'llama3', 'llama3-tied'])('%s as Meta publishes it', async (variety) => {
    const { input_ids } = JSON.parse(readFileSync(`test/golden/torch/${variety}.json`, 'utf8')) as Golden;
    const expected = readTensorFile(`test/golden/torch/${variety}.safetensors`).get('logits')!;
    await expectLogits(openModel(`test/golden/torch/${variety}`).weights, input_ids, null, expected);
  });

  // One layer only; α/√r; individual ranks and alphas; stored in bf16.
  test.each(['one-layer', 'rslora', 'patterns', 'bf16'])('the adapter %s', async (name) => {
    const { model, input_ids } = JSON.parse(readFileSync(`test/golden/adapters/${name}.json`, 'utf8')) as {
      model: string;
      input_ids: number[][];
    };
    const expected = readTensorFile(`test/golden/adapters/${name}.safetensors`).get('logits')!;
    await expectLogits(
      openModel(`test/fixtures/models/${model}`).weights,
      input_ids,
      readAdapterFolder(`test/golden/adapters/${name}`),
      expected,
    );
  });
});

describe('losses are those of transformers and PEFT', () => {
  test.each(varieties)('%s', async (variety) => {
    const { golden: facts, adapter } = golden(variety);
    const batch = batchOf(facts.input_ids, facts.labels);
    const measure = async (tuned: Adapter | null) => {
      const runner = await createTrainer(variety, tuned);
      const { lossSum, labelTokens } = await runner.evaluate(batch);
      await runner.dispose();
      expect(labelTokens).toBe(facts.label_tokens);
      return lossSum / labelTokens;
    };
    expectClose([await measure(null)], [facts.loss], 1e-6, 'loss of the base');
    if (adapter) expectClose([await measure(adapter)], [facts.lora!.loss], 1e-6, 'loss with the adapter');
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
  test('a GGUF generates from its own blocks: in double precision the program means what it means with fp32 weights', () => {
    const { weights } = openModel('test/golden/formats/quantized.gguf');
    const v_projRounded = changed(
      weights,
      (name, values, columns) => name.includes('v_proj') && roundToBlocks(values, 8, columns),
    ); // from Q5_0
    const [packed, inFp32] = (
      [
        ['stored', weights],
        ['fp32', v_projRounded],
      ] as const
    ).map(([dtype, store]) => {
      const { program } = decodeLayersProgram(store.config, 0, 1, (layer, linear) => linearForm(store, layer, linear, dtype));
      return evaluate(program, decodeInputs(program, decodeConstants(store, program, dtype))).get('y')!.data;
    });
    expectClose(packed!, inFp32!, 1e-6, 'y');
  });

  test.each(['llama3-rope', 'mqa-f16'])(
    'the 16-bit floats of %s train as they are stored, with the very numbers of fp32',
    async (model) => {
      const { weights } = openModel(`test/fixtures/models/${model}`);
      const { vocabSize } = weights.config;
      const lora = { r: 2, alpha: 2, useRslora: false, targetModules: linearNames, layers: null };
      const { parameters } = initialLoraState(weights.config, lora, 1);
      const batch = batchOf([Array.from({ length: 16 }, (_, i) => (i * 7 + 3) % vocabSize)]);
      const trained = [];
      for (const store of [weights, changed(weights, () => undefined)]) {
        const runner = await createTrainer('', { lora, parameters }, { weights: store });
        const { lossSum } = await runner.accumulate(batch, 0);
        trained.push({ lossSum, gradients: await takeGradients(runner) });
        await runner.dispose();
      }
      expect(trained[0]).toEqual(trained[1]);
      expect(matrixForm(weights.info('model.layers.0.mlp.up_proj.weight')!, basePrecisions('fp32', 'cpu').head)).toBe(
        model === 'mqa-f16' ? 'F16' : 'BF16',
      );
    },
  );

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

  // Rounded in plain arithmetic: linears to 4 bits, the vocabulary's table to 8. Already quantized weights stay as they are.
  test.each([
    ['gqa-tied', 'test/fixtures/models/gqa-tied', { linears: 4, table: 8 }],
    [
      'a GGUF of Q4_1 and Q8_0, with v_proj in Q5_0 and its table in F16',
      'test/golden/formats/quantized.gguf',
      { v_proj: 8, table: 8 },
    ],
  ] as const)('int4: loss and gradients of %s are those of weights rounded beforehand', async (_name, model, bits) => {
    const { weights } = openModel(model);
    const { vocabSize } = weights.config;
    const round: Round = (name, values, columns) => {
      const to = name.includes('embed_tokens')
        ? bits.table
        : 'linears' in bits
          ? bits.linears
          : name.includes('v_proj')
            ? bits.v_proj
            : undefined;
      if (to && /(_proj|embed_tokens)/.test(name) && columns % 32 === 0) roundToBlocks(values, to, columns);
    };
    const lora = { r: 2, alpha: 2, useRslora: false, targetModules: linearNames, layers: null };
    const initialState = initialLoraState(weights.config, lora, 1);
    const batch = batchOf([Array.from({ length: 16 }, (_, i) => (i * 7 + 3) % vocabSize)]);
    const trained = [];
    for (const [baseDType, store] of [
      ['int4', weights],
      ['fp32', changed(weights, round)],
      ['fp32', weights],
    ] as const) {
      const runner = await createTrainer('', { lora, parameters: initialState.parameters }, { baseDType, weights: store });
      const { lossSum } = await runner.accumulate(batch, 0);
      trained.push({ lossSum, gradients: await takeGradients(runner) });
      await runner.dispose();
    }
    const [packed, rounded, exact] = trained as [(typeof trained)[0], (typeof trained)[0], (typeof trained)[0]];
    expectClose([packed.lossSum], [rounded.lossSum], 1e-6, 'loss');
    expectParametersClose(packed.gradients, rounded.gradients, 1e-4);
    expect(Math.abs(packed.lossSum - exact.lossSum) / exact.lossSum, 'it is rounded indeed').toBeGreaterThan(1e-5);
  });

  test.each(['fp32', 'fp16', 'int8', 'int4'] as const)(
    'layers of %s that are streamed train bit for bit like resident ones',
    async (baseDType) => {
      const { weights } = openModel('test/fixtures/models/gqa-tied');
      const { golden: facts, adapter } = golden('gqa-tied');
      const losses: number[][] = [];
      for (const layerStreaming of [false, true]) {
        const runner = await createTrainer('', adapter!, { baseDType, weights, layerStreaming });
        const ofSteps = [];
        for (let step = 1; step <= 3; step++) {
          const { lossSum, labelTokens } = await runner.accumulate(batchOf(facts.input_ids, facts.labels), 0);
          await runner.update({
            step,
            learningRate: 1e-2,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weightDecay: 0,
            labelTokens,
            maxGradNorm: 1,
          });
          ofSteps.push(lossSum);
        }
        losses.push(ofSteps);
        await runner.dispose();
      }
      expect(losses[1]).toEqual(losses[0]);
      expect(losses[0]![2]).not.toBe(losses[0]![0]);
    },
  );

  // With weights rounded in plain arithmetic, only the rounding of the activations to 8 bits remains to be explained.
  test.each(['int8', 'int4'] as const)('logits from %s weights are those of the rounded weights', async (dtype) => {
    const {
      golden: {
        input_ids: [prompt],
      },
    } = golden('tiny-llama');
    const { weights } = openModel('test/fixtures/models/tiny-llama');
    const roundMatrices: Round = (name, values, columns) => {
      if (/(_proj|lm_head)\.weight$/.test(name) && columns % 32 === 0) roundToBlocks(values, dtype === 'int8' ? 8 : 4, columns);
    };
    const logits = [];
    for (const [decodeDType, store] of [
      [dtype, weights],
      ['fp32', changed(weights, roundMatrices)],
      ['fp32', weights],
    ] as const) {
      const model = await createTextModel(store, new CpuDevice(2), decodeDType);
      logits.push(await model.logits(prompt!, null, 1));
      await model.dispose();
    }
    const [quantized, rounded, exact] = logits as [Float32Array, Float32Array, Float32Array];
    expect(relativeDifference(quantized, rounded)).toBeLessThan(0.03);
    expect(relativeDifference(quantized, exact), 'it is quantized indeed').toBeGreaterThan(1e-5);
    if (dtype === 'int4') expect(relativeDifference(rounded, exact), 'the weights are what costs').toBeGreaterThan(0.02);
  });
});

test.each(['tiny-llama', 'gemma3'])(
  '%s: prompts and single tokens are multiplied in integers, close to fp32, where the processor is exact',
  async (family) => {
    const device = new CpuDevice(2);
    const { weights } = openModel(`test/fixtures/models/${family}`);
    const prompt = Array.from({ length: 40 }, (_, i) => (i * 37 + 5) % weights.config.vocabSize);
    const model = await loadTextModel(weights, { device: 'cpu', threads: 2, base_dtype: 'auto' });
    const [chosen, exact] = [
      await createTextModel(weights, device, (await saturates(device)) ? 'stored' : 'integers'),
      await createTextModel(weights, device, 'fp32'),
    ];
    expect(await model.logits(prompt, null, 1)).toEqual(await chosen.logits(prompt, null, 1));
    await chosen.dispose();
    // The last token alone, after the others; all at once; and a few.
    await model.logits(prompt.slice(0, -1), null, 1);
    for (const ids of [prompt, prompt.slice(0, 39), prompt.slice(0, 2)]) {
      const difference = relativeDifference(await model.logits(ids, null, 1), await exact.logits(ids, null, 1));
      expect(difference).toBeLessThan(0.05);
      expect(difference, 'it is rounded indeed').toBeGreaterThan(1e-5);
    }
    await model.dispose();
    await exact.dispose();
  },
);

/** The constants as numbers, and arbitrary values for all other inputs. */
function decodeInputs(program: Program, constants: Constants): Map<string, Tensor> {
  const random = new Random(5);
  const numbers = (name: string, { dtype, shape }: Value): Tensor => {
    const bytes = constants.get(name);
    if (bytes)
      return tensor(shape, dtype === 'uint8' ? bytes : new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4));
    return dtype === 'float32'
      ? randomTensor(shape, random)
      : tensor(shape, new Float64Array(elementCount(shape)).fill(name === 'total_length' ? 1 : 0));
  };
  return new Map([...program.inputs].map(([name, value]) => [name, numbers(name, value)]));
}

type Round = (name: string, values: Float32Array, columns: number) => unknown;

/**
 * Rounds blocks of 32 along each row: with 4 bits, to 16 levels from the smallest to the largest value; with 8 bits, to 256
 * levels with the value of largest magnitude at one end.
 */
function roundToBlocks(values: Float32Array, bits: 4 | 8, columns: number): void {
  for (let row = 0; row < values.length; row += columns) {
    for (let start = row; start < row + columns; start += 32) {
      const block = values.subarray(start, Math.min(start + 32, row + columns));
      if (bits === 4) {
        const [smallest, largest] = [Math.min(...block), Math.max(...block)];
        const step = Math.fround((largest - smallest) / 15);
        block.forEach(
          (value, i) => (block[i] = step === 0 ? value : smallest + Math.min(15, Math.round((value - smallest) / step)) * step),
        );
      } else {
        const largest = block.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
        block.forEach(
          (value, i) => (block[i] = largest === 0 ? 0 : (Math.min(127, Math.round((value * -128) / largest)) * largest) / -128),
        );
      }
    }
  }
}

/** The store as an fp32 one, with its weights rounded when they are read. */
function changed(store: WeightStore, round: Round): WeightStore {
  const rounded = (name: string, values: Float32Array): Float32Array => {
    round(name, values, store.info(name)!.shape[1] ?? 1);
    return values;
  };
  return {
    config: store.config,
    info: (name) => ({ ...store.info(name)!, storedType: 'F32' }),
    names: () => store.names(),
    readFloat32: (name, into) => rounded(name, store.readFloat32(name, into)),
    readRows(name, firstRow, into) {
      store.readRows(name, firstRow, into);
      rounded(name, into);
    },
    readStoredRows: (name, firstRow, into) => store.readStoredRows(name, firstRow, into),
    close: () => store.close(),
  };
}
