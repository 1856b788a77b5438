import { decoderLayer, layerNorms } from '../decoderLayer.js';
import type { Family } from '../family.js';
import { decoderWeights } from '../weightSpec.js';

/** LLaMA 1 to 3 (https://arxiv.org/abs/2302.13971) and similar models: CodeLlama, DeepSeek-Coder, Granite, Mellum, SmolLM. */
export const llama: Family = {
  name: 'llama',
  modelType: 'llama',
  architecture: 'LlamaForCausalLM',
  readConfig(fields) {
    fields.requireActivation('hidden_act', 'silu');
    return {
      family: 'llama',
      ...fields.sizes({ contextLength: 2048 }),
      biases: fields.biases(),
      attentionKinds: [{ rope: fields.rope(10000), window: null }],
      layerPattern: [0],
    };
  },
  gguf: { architecture: 'llama', readConfig: (fields) => fields.config('llama') },
  weights: (config) => decoderWeights(config, { vectors: layerNorms(config), permutedInGguf: true }),
  layer: decoderLayer,
};
