import type { MergeableAdapter } from '../core/adapters/peft.js';
import type { WeightInfo, WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import { elementCount } from '../core/shape.js';
import { mergedRows } from './mergedRows.js';

/** Base and adapter as a model in fp32, whose weights are computed when they are read. The base stays the caller's to close. */
export function mergedStore(weights: WeightStore, adapter: MergeableAdapter, strength: number): WeightStore {
  const specs = new Map(weightTable(weights.config).all.map((spec) => [spec.name, spec]));
  const merged = mergedRows(weights, adapter, strength);
  const info = (name: string): WeightInfo | undefined => {
    const stored = weights.info(name);
    return stored && { ...stored, storedType: 'F32', permutedRows: false, lessOne: false };
  };
  const readRows = (name: string, firstRow: number, into: Float32Array) => merged.read(specs.get(name)!, firstRow, into);
  return {
    config: weights.config,
    info,
    names: () => weights.names(),
    readRows,
    readFloat32(name, into = new Float32Array(elementCount(info(name)!.shape))) {
      readRows(name, 0, into);
      return into;
    },
    readStored() {
      throw new Error('internal: merged weights are stored nowhere');
    },
    close: () => undefined,
  };
}
