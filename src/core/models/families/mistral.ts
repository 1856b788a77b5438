import { decoderLayer, layerNorms } from '../decoderLayer.js';
import type { Family } from '../family.js';
import { plainGgufConfig } from '../ggufConfig.js';
import { huggingFaceRope, huggingFaceSizes } from '../huggingFaceConfig.js';
import { decoderWeights } from '../weightSpec.js';

/** Mistral (https://arxiv.org/abs/2310.06825): LLaMA, in some versions with a sliding window. In GGUF it is a LLaMA without one. */
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
  writeConfig: (config) => ({
    hidden_act: 'silu',
    ...huggingFaceSizes(config),
    ...huggingFaceRope(config.attentionKinds[0]!.rope!, config.headDim),
    sliding_window: config.attentionKinds[0]!.window,
  }),
  gguf: { architecture: 'llama', readConfig: null, writeConfig: (config) => plainGgufConfig('llama', config) },
  weights: (config) => decoderWeights(config, { vectors: layerNorms(config), permutedInGguf: true }),
  layer: decoderLayer,
};
