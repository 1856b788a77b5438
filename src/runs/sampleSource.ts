/** @file The model that answers held-out prompts during training: a separate text model, loaded only while it writes. */
import type { LoraShape } from '../core/adapters/lora.js';
import type { Adapter } from '../core/adapters/peft.js';
import { samplePrompts, sampleTokens } from '../core/data/samplePrompts.js';
import type { Dataset } from '../core/data/dataset.js';
import { cacheBytesPerToken, decodeWeightBytes } from '../runtime/memory/decoding.js';
import { greedy } from '../core/generate/sampling.js';
import { writeText } from '../core/generate/writeText.js';
import { matrixForm } from '../core/models/matrixForm.js';
import type { LoadedModel } from '../files/loadModel.js';
import { savedSessionsOf } from '../files/savedSessions.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { availableMemoryBytes } from '../runtime/memory/available.js';
import { loadTextModel } from '../runtime/engine.js';
import type { SampleSource, SampleWriter } from './trainingSampler.js';

/** Null if the config wants no samples, nothing is held out or the model's text cannot be read. */
export function sampleSource(
  model: LoadedModel,
  config: RunConfig,
  lora: LoraShape,
  { evaluation }: Dataset,
): SampleSource | null {
  if (model.textProblem) return null;
  const contextLength = model.weights.config.contextLength;
  const fitting = evaluation.filter(({ inputIds }) => inputIds.length < contextLength);
  const prompts = samplePrompts(fitting, config.train.sample_prompts, model.tokenizer);
  if (prompts.length === 0) return null;
  const longest = Math.max(...prompts.map(({ ids }) => ids.length)) + sampleTokens;
  return {
    prompts,
    async load(parameters) {
      if (bytesToWrite(model, longest) > availableMemoryBytes()) return null;
      return loadWriter(model, config, parameters && { lora, baseModel: config.model, parameters, isUniform: true });
    },
  };
}

/** A matrix exists twice while it is loaded; one and a half times the size of the weights leaves room for the largest. */
function bytesToWrite({ weights }: LoadedModel, tokens: number): number {
  const held = decodeWeightBytes(weights, (matrix) => matrixForm(matrix, 'stored'));
  return 1.5 * held + 2 * tokens * cacheBytesPerToken(weights.config);
}

/** Always on the CPU, so that the memory the trainer has reserved on a GPU stays its own. */
async function loadWriter(model: LoadedModel, { engine }: RunConfig, adapter: Adapter | null): Promise<SampleWriter> {
  const { weights, tokenizer } = model;
  const onCpu = { device: 'cpu', threads: engine.threads, base_dtype: 'auto' } as const;
  const text = await loadTextModel(weights, onCpu, { saved: savedSessionsOf(model.path) });
  return {
    async write(promptIds, maxNewTokens) {
      const request = { promptIds, adapter, adapterStrength: 1, sampling: greedy, maxNewTokens, stop: [] };
      return (await writeText(text, tokenizer, request, () => undefined)).text;
    },
    dispose: () => text.dispose(),
  };
}
