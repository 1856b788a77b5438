import type { ModelConfig } from '../../src/core/models/config.js';

/** A small LLaMA, except for what the test overrides; every layer attends to all preceding tokens. */
export function llamaConfig(sizes: Partial<ModelConfig>, ropeTheta = 10000): ModelConfig {
  return {
    family: 'llama',
    vocabSize: 32,
    hiddenSize: 12,
    intermediateSize: 20,
    layerCount: 2,
    headCount: 3,
    keyValueHeadCount: 1,
    headDim: 4,
    rmsNormEpsilon: 1e-5,
    contextLength: 64,
    tiedEmbeddings: true,
    biases: [],
    attentionKinds: [{ rope: { theta: ropeTheta, scaling: { type: 'none' } }, window: null }],
    layerPattern: [0],
    ...sizes,
  };
}
