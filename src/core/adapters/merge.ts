/** @file The adapter as a part of the weights: W + scaling · B·A. */
import type { HostTensor } from '../formats/hostTensor.js';
import type { LinearName } from '../models/linears.js';
import { isAdapted, loraScaling, peftName } from './lora.js';
import type { Adapter } from './peft.js';

/** What an adapter does to one linear. */
export interface LinearDelta {
  /** [r, in] */
  readonly loraA: HostTensor;
  /** [out, r] */
  readonly loraB: HostTensor;
  readonly scaling: number;
}

/** Null if the adapter leaves this linear as it is. */
export function deltaOf(adapter: Adapter, strength: number, layer: number, linear: LinearName): LinearDelta | null {
  if (strength === 0 || !isAdapted(adapter.lora, layer) || !adapter.lora.targetModules.includes(linear)) return null;
  const matrix = (name: 'A' | 'B'): HostTensor => adapter.parameters.get(peftName(layer, linear, name))!;
  return { loraA: matrix('A'), loraB: matrix('B'), scaling: strength * loraScaling(adapter.lora) };
}

/** Rows [n, in] of W from `firstRow` on become those of the merged weight. The delta is summed in fp64 and rounded once. */
export function mergeRows(rows: Float32Array, firstRow: number, { loraA, loraB, scaling }: LinearDelta): void {
  const [rank, width] = loraA.shape as [number, number];
  const [a, b] = [loraA.data, loraB.data];
  const delta = new Float64Array(width);
  for (let row = 0; row * width < rows.length; row++) {
    delta.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = scaling * b[(firstRow + row) * rank + k]!;
      for (let i = 0, at = k * width; i < width; i++) delta[i]! += factor * a[at + i]!;
    }
    for (let i = 0, at = row * width; i < width; i++) rows[at + i]! += delta[i]!;
  }
}
