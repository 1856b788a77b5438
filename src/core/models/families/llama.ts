import { decoderLayer, layerNorms } from '../decoderLayer.js';
import type { Family } from '../family.js';
import { plainGgufConfig } from '../ggufConfig.js';
import { huggingFaceBiases, huggingFaceRope, huggingFaceSizes } from '../huggingFaceConfig.js';
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
  writeConfig: (config) => ({
    hidden_act: 'silu',
    ...huggingFaceSizes(config),
    ...huggingFaceBiases(config),
    ...huggingFaceRope(config.attentionKinds[0]!.rope!, config.headDim),
  }),
  gguf: {
    architecture: 'llama',
    readConfig: (fields) => fields.config('llama'),
    writeConfig: (config) => plainGgufConfig('llama', config),
  },
  weights: (config) => decoderWeights(config, { vectors: layerNorms(config), permutedInGguf: true }),
  layer: decoderLayer,
};
