import { decoderLayer, layerNorms } from '../decoderLayer.js';
import { attentionKindOf } from '../config.js';
import type { Family } from '../family.js';
import { t } from '../../../l10n/text.js';
import { ggufRope, ggufSizes, notInGguf } from '../ggufConfig.js';
import { huggingFaceBiases, huggingFaceRope, huggingFaceSizes } from '../huggingFaceConfig.js';
import { decoderWeights } from '../weightSpec.js';

/** SmolLM3 (https://huggingface.co/blog/smollm3): LLaMA without rotation in some layers, by default every fourth. */
export const smollm3: Family = {
  name: 'smollm3',
  modelType: 'smollm3',
  architecture: 'SmolLM3ForCausalLM',
  readConfig(fields) {
    fields.requireActivation('hidden_act', 'silu');
    fields.requireUnset('use_sliding_window');
    const sizes = fields.sizes({ contextLength: 32768, keyValueHeadCount: 4, tiedEmbeddings: true });
    const interval = fields.integer('no_rope_layer_interval', 4);
    const rotates =
      fields.perLayer('no_rope_layers', sizes.layerCount, isFlag) ??
      Array.from({ length: sizes.layerCount }, (_, layer) => Number((layer + 1) % interval !== 0));
    return {
      family: 'smollm3',
      ...sizes,
      biases: fields.biases(),
      attentionKinds: [
        { rope: fields.rope(2e6), window: null },
        { rope: null, window: null },
      ],
      layerPattern: rotates.map((flag) => 1 - flag),
    };
  },
  writeConfig: (config) => ({
    hidden_act: 'silu',
    ...huggingFaceSizes(config),
    ...huggingFaceBiases(config),
    ...huggingFaceRope(config.attentionKinds[0]!.rope!, config.headDim),
    no_rope_layers: Array.from({ length: config.layerCount }, (_, layer) => 1 - attentionKindOf(config, layer)),
    use_sliding_window: false,
  }),
  gguf: {
    architecture: 'smollm3',
    readConfig(fields) {
      const sizes = fields.sizes();
      const attentionKinds = [
        { rope: fields.rope(2e6, sizes.headDim), window: null },
        { rope: null, window: null },
      ];
      return { family: 'smollm3', ...sizes, biases: fields.biases(), attentionKinds, layerPattern: [0, 0, 0, 1] };
    },
    writeConfig(config) {
      for (let layer = 0; layer < config.layerCount; layer++) {
        if (attentionKindOf(config, layer) !== Number(layer % 4 === 3))
          notInGguf(t`llama.cpp leaves every fourth layer without rotation`);
      }
      return new Map([...ggufSizes('smollm3', config), ...ggufRope('smollm3', config.attentionKinds[0]!.rope!)]);
    },
  },
  weights: (config) => decoderWeights(config, { vectors: layerNorms(config), permutedInGguf: true }),
  layer: decoderLayer,
};

/** 1 means that the layer rotates, despite the name of the list. */
function isFlag(value: unknown): value is number {
  return value === 0 || value === 1;
}
