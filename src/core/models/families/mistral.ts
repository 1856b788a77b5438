import { decoderLayer, layerNorms } from '../decoderLayer.js';
import type { Family } from '../family.js';
import { decoderWeights } from '../weightSpec.js';

/** Mistral (https://arxiv.org/abs/2310.06825): LLaMA with a sliding window. Its GGUF files have the architecture llama. */
export const mistral: Family = {
  name: 'mistral',
  modelType: 'mistral',
  architecture: 'MistralForCausalLM',
  readConfig(fields) {
    fields.requireActivation('hidden_act', 'silu');
    return {
      family: 'mistral',
      ...fields.sizes({ contextLength: 131072, keyValueHeadCount: 8 }),
      biases: [],
      attentionKinds: [{ rope: fields.rope(10000), window: fields.optionalInteger('sliding_window', 4096) }],
      layerPattern: [0],
    };
  },
  gguf: null,
  weights: (config) => decoderWeights(config, { vectors: layerNorms(config) }),
  layer: decoderLayer,
};
