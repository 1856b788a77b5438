/** @file The adapter as a part of the weights: W + scaling · B·A, and what DoRA makes of it. */
import type { HostTensor } from '../formats/hostTensor.js';
import type { LinearName } from '../models/linears.js';
import { linearPath } from '../models/weightSpec.js';
import { isAdapted, loraScaling, peftName } from './lora.js';
import type { MergeableAdapter } from './peft.js';

/** What an adapter does to one linear. */
export interface LinearDelta {
  /** [r, in] */
  readonly loraA: HostTensor;
  /** [out, r] */
  readonly loraB: HostTensor;
  readonly scaling: number;
  /** Null for plain LoRA, whose strength is part of the scaling. */
  readonly dora: {
    /** The length that each row of the merged weight gets: [out]. */
    readonly magnitude: HostTensor;
    /** The share of the change that is applied, since a change of length cannot be a part of the scaling. */
    readonly strength: number;
  } | null;
}

/** Null if the adapter leaves this linear as it is. */
export function deltaOf(adapter: MergeableAdapter, strength: number, layer: number, linear: LinearName): LinearDelta | null {
  const { lora, parameters, magnitudes } = adapter;
  if (strength === 0 || !isAdapted(lora, layer) || !lora.targetModules.includes(linear)) return null;
  const matrix = (name: 'A' | 'B'): HostTensor => parameters.get(peftName(layer, linear, name))!;
  const magnitude = magnitudes?.get(linearPath(layer, linear));
  return {
    loraA: matrix('A'),
    loraB: matrix('B'),
    scaling: loraScaling(lora) * (magnitude ? 1 : strength),
    dora: magnitude ? { magnitude, strength } : null,
  };
}

/** Rows [n, in] of W from `firstRow` on become those of the merged weight. Everything is summed in fp64 and rounded once. */
export function mergeRows(rows: Float32Array, firstRow: number, { loraA, loraB, scaling, dora }: LinearDelta): void {
  const [rank, width] = loraA.shape as [number, number];
  const [a, b] = [loraA.data, loraB.data];
  const delta = new Float64Array(width);
  for (let row = 0; row * width < rows.length; row++) {
    delta.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = scaling * b[(firstRow + row) * rank + k]!;
      for (let i = 0, at = k * width; i < width; i++) delta[i]! += factor * a[at + i]!;
    }
    const weights = rows.subarray(row * width, (row + 1) * width);
    if (dora) rescale(delta, weights, dora.magnitude.data[firstRow + row]!, dora.strength);
    for (let i = 0; i < width; i++) weights[i]! += delta[i]!;
  }
}

/** Turns the change that LoRA makes to a row of weights into DoRA's, which also brings the sum to the length `magnitude`. */
function rescale(delta: Float64Array, weights: Float32Array, magnitude: number, strength: number): void {
  let squares = 0;
  for (let i = 0; i < delta.length; i++) squares += (weights[i]! + delta[i]!) ** 2;
  const factor = squares === 0 ? 0 : magnitude / Math.sqrt(squares);
  for (let i = 0; i < delta.length; i++) delta[i] = strength * (factor * (weights[i]! + delta[i]!) - weights[i]!);
}
