import { decoderLayer, headNorms, layerNorms, normHeads } from '../decoderLayer.js';
import type { Family } from '../family.js';
import { t } from '../../../l10n/text.js';
import { notInGguf, plainGgufConfig } from '../ggufConfig.js';
import { huggingFaceBiases, huggingFaceRope, huggingFaceSizes } from '../huggingFaceConfig.js';
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
  writeConfig: (config) => ({
    hidden_act: 'silu',
    ...huggingFaceSizes(config),
    ...huggingFaceBiases(config),
    ...huggingFaceRope(config.attentionKinds[0]!.rope!, config.headDim),
    use_sliding_window: false,
  }),
  gguf: {
    architecture: 'qwen3',
    readConfig: (fields) => fields.config('qwen3'),
    writeConfig: (config) => {
      if (config.biases.length > 0) notInGguf(t`llama.cpp's Qwen3 has no biases`);
      return plainGgufConfig('qwen3', config);
    },
  },
  weights: (config) => decoderWeights(config, { vectors: [...layerNorms(config), ...headNorms(config)] }),
  layer: (b, config, x, sites) => decoderLayer(b, config, x, sites, normHeads(b, config, sites)),
};
