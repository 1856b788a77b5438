import { decoderLayer, layerNorms } from '../decoderLayer.js';
import type { Family } from '../family.js';
import type { LinearName } from '../linears.js';
import { decoderWeights } from '../weightSpec.js';

export const attentionLinears: readonly LinearName[] = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];
export const mlpLinears: readonly LinearName[] = ['gate_proj', 'up_proj', 'down_proj'];

/** LLaMA 1 to 3 (https://arxiv.org/abs/2302.13971), and what is built like it: CodeLlama, DeepSeek-Coder, Granite, Mellum, SmolLM. */
export const llama: Family = {
  name: 'llama',
  modelType: 'llama',
  architecture: 'LlamaForCausalLM',
  readConfig(fields) {
    fields.requireActivation('hidden_act', 'silu');
    return {
      family: 'llama',
      ...fields.sizes({ contextLength: 2048 }),
      biases: [...(fields.flag('attention_bias') ? attentionLinears : []), ...(fields.flag('mlp_bias') ? mlpLinears : [])],
      attentionKinds: [{ rope: fields.rope(10000), window: null }],
      layerPattern: [0],
    };
  },
  gguf: {
    architecture: 'llama',
    readConfig(fields) {
      const sizes = fields.sizes();
      const attentionKinds = [{ rope: fields.rope(10000, sizes.headDim), window: null }];
      return { family: 'llama', ...sizes, biases: fields.biases(), attentionKinds, layerPattern: [0] };
    },
  },
  weights: (config) => decoderWeights(config, { vectors: layerNorms(config), permutedInGguf: true }),
  layer: decoderLayer,
};
