import type { MergeableAdapter } from '../core/adapters/peft.js';
import { deltaOf, mergeRows, type LinearDelta } from '../core/adapters/merge.js';
import type { ModelConfig } from '../core/models/config.js';
import { linearNames } from '../core/models/linears.js';
import type { WeightStore } from '../core/models/weights.js';
import type { WeightSpec } from '../core/models/weightSpec.js';

/** Base and adapter as one model, whose weights are computed row by row when they are read. */
export interface MergedRows {
  readonly config: ModelConfig;
  /** Reads as many rows as `into` holds; whole heads of weights that are permuted in GGUF. */
  read(spec: WeightSpec, firstRow: number, into: Float32Array): void;
}

export function mergedRows(weights: WeightStore, adapter: MergeableAdapter | null, strength: number): MergedRows {
  return {
    config: weights.config,
    read(spec, firstRow, into) {
      weights.readRows(spec.name, firstRow, into);
      const delta = adapter && deltaOfWeight(adapter, strength, spec);
      if (delta) mergeRows(into, firstRow, delta);
    },
  };
}

function deltaOfWeight(adapter: MergeableAdapter, strength: number, { kind, layer, role }: WeightSpec): LinearDelta | null {
  const linear = linearNames.find((name) => role === `${name}.weight`);
  return kind === 'linear' && layer !== null && linear ? deltaOf(adapter, strength, layer, linear) : null;
}
