import { setImmediate as nextTurn } from 'node:timers/promises';
import { recommendedModels, type RecommendedModel } from '../files/hub/recommendedModels.js';
import { parameterCount, type WeightStore } from '../core/models/weights.js';
import type { ModelConfig } from '../core/models/config.js';
import { weightTable } from '../core/models/weightTable.js';
import { elementCount } from '../core/shape.js';
import { availableMemoryBytes } from '../runtime/memory/available.js';
import { dtypesToTry, fits, planMemory } from '../runtime/memory/plan.js';
import { largestBatch, loraShape } from './derivedSettings.js';
import { usualLengthFor } from './sequenceLength.js';
import { usualConfig } from './usualConfig.js';

export interface Recommendation extends RecommendedModel {
  readonly parameters: number;
  /** Peak of a run with the usual settings, in the form that suits this machine. */
  readonly trainingBytes: number;
  /** Whether this machine has that much memory now. */
  readonly isTrainable: boolean;
}

/** The recommended models, and which of them can be trained here. Estimating takes a second or two; others get their turn. */
export async function recommendations(availableBytes = availableMemoryBytes()): Promise<readonly Recommendation[]> {
  const found: Recommendation[] = [];
  for (const model of recommendedModels()) {
    await nextTurn();
    found.push(judge(model, availableBytes));
  }
  return found;
}

function judge(model: RecommendedModel, availableBytes: number): Recommendation {
  const weights = headerOf(model.config);
  const plan = planMemory(usualRequest(weights), availableBytes);
  return { ...model, parameters: parameterCount(weights), trainingBytes: plan.estimate.hostBytes, isTrainable: fits(plan) };
}

type Header = Pick<WeightStore, 'config' | 'names' | 'info'>;

/** What the header of the model's file will say. */
function headerOf(config: ModelConfig): Header {
  const infos = new Map(
    weightTable(config).all.map(({ name, shape }) => {
      const stored = { storedType: 'BF16', file: '', offset: 0, byteLength: 2 * elementCount(shape) } as const;
      return [name, { name, shape, ...stored, permutedRows: false, lessOne: false }];
    }),
  );
  return { config, names: () => [...infos.keys()], info: (name) => infos.get(name) };
}

/** Every setting left as it is, on the CPU, which is the least that this machine has. */
function usualRequest(weights: Header) {
  const { lora, engine, ...config } = usualConfig('model', { max_seq_length: usualLengthFor(weights.config) });
  return {
    weights,
    lora: loraShape(lora),
    dropout: lora.dropout,
    batch: largestBatch({ ...config, lora, engine }, config.data.max_seq_length),
    dtypes: dtypesToTry(engine.base_dtype, { kind: 'cpu', has16Bit: true, hasFastIntegers: false }),
    checkpointing: engine.gradient_checkpointing,
    streaming: engine.layer_streaming,
    device: 'cpu',
  } as const;
}
