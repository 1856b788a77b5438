import { decoderLayer, layerNorms } from '../decoderLayer.js';
import type { Family } from '../family.js';
import { plainGgufConfig } from '../ggufConfig.js';
import { huggingFaceRope, huggingFaceSizes } from '../huggingFaceConfig.js';
import { slidingLayers } from '../slidingLayers.js';
import { decoderWeights } from '../weightSpec.js';

/** Qwen2, Qwen2.5 and Qwen2.5-Coder (https://arxiv.org/abs/2407.10671): LLaMA with biases for query, key and value. */
export const qwen2: Family = {
  name: 'qwen2',
  modelType: 'qwen2',
  architecture: 'Qwen2ForCausalLM',
  readConfig(fields) {
    fields.requireActivation('hidden_act', 'silu');
    const sizes = fields.sizes({ contextLength: 32768, keyValueHeadCount: 32 });
    return {
      family: 'qwen2',
      ...sizes,
      biases: ['q_proj', 'k_proj', 'v_proj'],
      ...slidingLayers(fields, sizes.layerCount, fields.rope(10000)),
    };
  },
  writeConfig: (config) => ({
    hidden_act: 'silu',
    ...huggingFaceSizes(config),
    ...huggingFaceRope(config.attentionKinds[0]!.rope!, config.headDim),
    use_sliding_window: false,
  }),
  gguf: {
    architecture: 'qwen2',
    readConfig: (fields) => fields.config('qwen2'),
    writeConfig: (config) => plainGgufConfig('qwen2', config),
  },
  weights: (config) => decoderWeights(config, { vectors: layerNorms(config) }),
  layer: decoderLayer,
};
