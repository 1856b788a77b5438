import { decoderLayer, headNorms, layerNorms, normHeads } from '../decoderLayer.js';
import type { Family } from '../family.js';
import { slidingLayers } from '../slidingLayers.js';
import { decoderWeights } from '../weightSpec.js';

/** Qwen3 (https://arxiv.org/abs/2505.09388): query and key heads are normed before rotation. */
export const qwen3: Family = {
  name: 'qwen3',
  modelType: 'qwen3',
  architecture: 'Qwen3ForCausalLM',
  readConfig(fields) {
    fields.requireActivation('hidden_act', 'silu');
    const sizes = fields.sizes({ contextLength: 32768, keyValueHeadCount: 32, headDim: 128 });
    return {
      family: 'qwen3',
      ...sizes,
      biases: fields.biases(),
      ...slidingLayers(fields, sizes.layerCount, fields.rope(10000)),
    };
  },
  gguf: { architecture: 'qwen3', readConfig: (fields) => fields.config('qwen3') },
  weights: (config) => decoderWeights(config, { vectors: [...layerNorms(config), ...headNorms(config)] }),
  layer: (b, config, x, sites) => decoderLayer(b, config, x, sites, normHeads(b, config, sites)),
};
