import { deltaOf, mergeRows, type LinearDelta } from '../core/adapters/merge.js';
import type { MergeableAdapter } from '../core/adapters/peft.js';
import { linearNames } from '../core/models/linears.js';
import type { WeightStore } from '../core/models/weights.js';
import type { WeightSpec } from '../core/models/weightSpec.js';
import { weightTable } from '../core/models/weightTable.js';
import { elementCount } from '../core/shape.js';

/** Base and adapter as one model in fp32, whose weights are computed row by row when they are read. The base stays the owner's. */
export function mergedWeights(base: WeightStore, adapter: MergeableAdapter | null, strength: number): WeightStore {
  const deltas = new Map(
    weightTable(base.config).all.map((spec) => [spec.name, adapter && deltaOfWeight(adapter, strength, spec)]),
  );
  const info: WeightStore['info'] = (name) => {
    const own = base.info(name);
    return own && { ...own, storedType: 'F32', permutedRows: false, lessOne: false };
  };
  const readRows: WeightStore['readRows'] = (name, firstRow, into) => {
    base.readRows(name, firstRow, into);
    const delta = deltas.get(name);
    if (delta) mergeRows(into, firstRow, delta);
  };
  return {
    config: base.config,
    info,
    names: () => base.names(),
    readRows,
    readFloat32(name, into = new Float32Array(elementCount(info(name)!.shape))) {
      readRows(name, 0, into);
      return into;
    },
    readStoredRows() {
      throw new Error('internal: merged weights are stored nowhere');
    },
    close: () => undefined,
  };
}

function deltaOfWeight(adapter: MergeableAdapter, strength: number, { kind, layer, role }: WeightSpec): LinearDelta | null {
  const linear = linearNames.find((name) => role === `${name}.weight`);
  return kind === 'linear' && layer !== null && linear ? deltaOf(adapter, strength, layer, linear) : null;
}
