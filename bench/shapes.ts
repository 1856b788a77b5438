import { bfloat16ToFloat32, float32ToBfloat16 } from '../src/core/formats/float16.js';
import type { ModelConfig } from '../src/core/models/config.js';
import { weightTable } from '../src/core/models/weightTable.js';
import type { WeightInfo, WeightStore } from '../src/core/models/weights.js';
import { hash32 } from '../src/core/random.js';
import { elementCount } from '../src/core/shape.js';

/** SmolLM2-135M: a LLaMA with grouped queries and tied embeddings. */
export const smolLm2: ModelConfig = {
  family: 'llama',
  vocabSize: 49152,
  hiddenSize: 576,
  intermediateSize: 1536,
  layerCount: 30,
  headCount: 9,
  keyValueHeadCount: 3,
  headDim: 64,
  rmsNormEpsilon: 1e-5,
  contextLength: 8192,
  tiedEmbeddings: true,
  biases: [],
  ...rotated(100000),
};

/** Every layer attends to all preceding tokens. */
function rotated(theta: number): Pick<ModelConfig, 'attentionKinds' | 'layerPattern'> {
  return { attentionKinds: [{ rope: { theta, scaling: { type: 'none' } }, window: null }], layerPattern: [0] };
}

/** The values of --shape: models with published configurations. */
export const shapes = {
  'smollm2-135m': smolLm2,
  'smollm2-360m': { ...smolLm2, hiddenSize: 960, intermediateSize: 2560, layerCount: 32, headCount: 15, keyValueHeadCount: 5 },
  'llama-3.2-1b': {
    ...smolLm2,
    vocabSize: 128256,
    hiddenSize: 2048,
    intermediateSize: 8192,
    layerCount: 16,
    headCount: 32,
    keyValueHeadCount: 8,
    ...rotated(500000),
  },
  'llama-3.1-8b': {
    ...smolLm2,
    vocabSize: 128256,
    hiddenSize: 4096,
    intermediateSize: 14336,
    layerCount: 32,
    headCount: 32,
    keyValueHeadCount: 8,
    headDim: 128,
    ...rotated(500000),
    tiedEmbeddings: false,
  },
} satisfies Record<string, ModelConfig>;

/**
 * A model of the given shape with random weights from a fixed seed, generated when read. Their values are exact in bfloat16, in
 * which such models are published.
 */
export function randomWeights(config: ModelConfig, storedType: 'F32' | 'BF16' = 'BF16'): WeightStore {
  const infos = new Map(
    weightTable(config).all.map(({ name, shape }): [string, WeightInfo] => {
      return [name, { name, shape, storedType, file: '(random)', byteLength: 0, permutedRows: false, lessOne: false }];
    }),
  );
  /** Generates a row, the same for every reader: uniform, with the standard deviation 0.02 of the usual initialisation. */
  const generate = (name: string, row: number, into: Float32Array): void => {
    let state = hash32(names.indexOf(name), row);
    for (let i = 0; i < into.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      into[i] = state * (0.07 / 2 ** 32);
    }
  };
  const readRows = (name: string, firstRow: number, into: Float32Array): void => {
    if (name.includes('norm')) return void into.fill(1);
    const rowLength = infos.get(name)!.shape[1]!;
    for (let at = 0; at < into.length; at += rowLength)
      generate(name, firstRow + at / rowLength, into.subarray(at, at + rowLength));
    bfloat16ToFloat32(float32ToBfloat16(into), into);
  };
  const names = [...infos.keys()];
  return {
    config,
    info: (name) => infos.get(name),
    names: () => names,
    readFloat32(name, into = new Float32Array(elementCount(infos.get(name)!.shape))) {
      readRows(name, 0, into);
      return into;
    },
    readRows,
    readStoredRows(name, firstRow, into) {
      const rowLength = infos.get(name)!.shape[1]!;
      const values = new Float32Array(rowLength);
      for (let at = 0; at < into.length; at += 2 * rowLength) {
        generate(name, firstRow + at / (2 * rowLength), values);
        into.set(new Uint8Array(float32ToBfloat16(values).buffer), at);
      }
    },
    close: () => undefined,
  };
}
