import type { HostTensor } from '../formats/hostTensor.js';
import type { LinearName } from '../models/linears.js';
import { linearPath } from '../models/weightSpec.js';
import { addScaled } from './decomposition.js';
import { isAdapted, loraScaling, peftName } from './lora.js';
import type { MergeableAdapter } from './peft.js';

/** Replaces some rows of a weight, from `firstRow` on, by those of the merged weight. `rows` holds whole rows. */
export type MergeRows = (rows: Float32Array, firstRow: number) => void;

/**
 * Merges an adapter into one linear's weight W [out, in], row by row: W' = W + scaling · B·A. With DoRA, every row of W' is then
 * brought to the length that its magnitude says. A `strength` other than 1 takes that share of the change W' − W. Sums are in
 * double precision, so that each result is rounded once. Null if the adapter leaves the weight as it is.
 */
export function mergeRows(adapter: MergeableAdapter, layer: number, linear: LinearName, strength: number): MergeRows | null {
  const { lora, parameters, magnitudes } = adapter;
  const [loraA, loraB] = (['A', 'B'] as const).map((matrix) => parameters.get(peftName(layer, linear, matrix)));
  if (!isAdapted(lora, layer) || !loraA || !loraB || strength === 0) return null;
  const change = rowChange(loraA, loraB, loraScaling(lora));
  const magnitude = magnitudes?.get(linearPath(layer, linear))?.data;
  const columns = loraA.shape[1]!;
  return (rows, firstRow) => {
    for (let start = 0; start < rows.length; start += columns) {
      const row = rows.subarray(start, start + columns);
      const index = firstRow + start / columns;
      const delta = change(index);
      mergeRow(row, delta, magnitude ? magnitude[index]! / (mergedLength(row, delta) || 1) : 1, strength);
    }
  };
}

/** Row `index` of scaling · B·A; the same array every time. */
function rowChange(loraA: HostTensor, loraB: HostTensor, scaling: number): (index: number) => Float64Array {
  const [rank, columns] = loraA.shape as [number, number];
  const rowsOfA = Array.from({ length: rank }, (_, k) => Float64Array.from(loraA.data.subarray(k * columns, (k + 1) * columns)));
  const delta = new Float64Array(columns);
  return (index) => {
    delta.fill(0);
    for (const [k, row] of rowsOfA.entries()) addScaled(delta, scaling * loraB.data[index * rank + k]!, row);
    return delta;
  };
}

function mergedLength(row: Float32Array, delta: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += (row[i]! + delta[i]!) ** 2;
  return Math.sqrt(sum);
}

function mergeRow(row: Float32Array, delta: Float64Array, factor: number, strength: number): void {
  for (let i = 0; i < row.length; i++) {
    const merged = factor * (row[i]! + delta[i]!);
    row[i]! += strength * (merged - row[i]!);
  }
}
