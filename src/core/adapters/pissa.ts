/**
 * @file PiSSA (https://arxiv.org/abs/2404.02948): A and B start as the r largest singular directions of W, which are taken out of the
 * base. PEFT saves such an adapter without the base and takes them out again when it loads it.
 */
import type { HostTensor } from '../formats/hostTensor.js';
import type { WeightStore } from '../models/weights.js';
import { linearShape } from '../models/linears.js';
import { linearPath } from '../models/weightSpec.js';
import { dot } from './decomposition.js';
import { leadingDirections } from './leadingDirections.js';
import { peftName } from './lora.js';
import type { Adapter, MergeableAdapter } from './peft.js';
import { weightedSum } from './weightedSum.js';

/**
 * The LoRA adapter of twice the rank that does to the base what the PiSSA adapter does to the rest of it:
 * W + ΔW' = (W − W·V·Vᵀ) + scaling · B·A, where V [in, r] are the leading right singular vectors of W. `afterPass` is awaited
 * many times; it may throw to cancel. `done` counts linears.
 */
export async function plainFromPissa(
  adapter: MergeableAdapter,
  weights: WeightStore,
  afterPass: (done: number, total: number) => Promise<void>,
): Promise<MergeableAdapter> {
  const taken = await takenFromBase(adapter, weights, afterPass);
  const terms = [
    { name: '', adapter, weight: 1 },
    { name: '', adapter: taken, weight: -1 },
  ];
  return { ...adapter, ...weightedSum(terms), isUniform: false, principalRanks: null };
}

/** W·V·Vᵀ of every adapted linear. */
async function takenFromBase(
  { lora: { targetModules, layers }, baseModel, principalRanks }: MergeableAdapter,
  weights: WeightStore,
  afterPass: (done: number, total: number) => Promise<void>,
): Promise<Adapter> {
  const r = Math.max(...principalRanks!.values());
  const parameters = new Map<string, HostTensor>();
  let done = 0;
  for (const layer of layers!) {
    for (const linear of targetModules) {
      const path = linearPath(layer, linear);
      const count = principalRanks!.get(path);
      if (count === undefined) continue;
      const matrix = weights.readFloat32(`${path}.weight`);
      const [, columns] = linearShape(weights.config, linear);
      const directions = await leadingDirections(matrix, columns, count, () => afterPass(done, principalRanks!.size));
      parameters.set(peftName(layer, linear, 'A'), transposed(directions, r));
      parameters.set(peftName(layer, linear, 'B'), product(matrix, directions, r));
      done++;
    }
  }
  return { lora: { r, alpha: r, useRslora: false, targetModules, layers }, baseModel, parameters, isUniform: false };
}

/** Vᵀ [rank, in], filled up with zeros. */
function transposed(directions: readonly Float64Array[], rank: number): HostTensor {
  const columns = directions[0]!.length;
  const data = new Float32Array(rank * columns);
  for (const [k, direction] of directions.entries()) data.set(direction, k * columns);
  return { shape: [rank, columns], data };
}

/** W·V [out, rank], filled up with zeros. */
function product(matrix: Float32Array, directions: readonly Float64Array[], rank: number): HostTensor {
  const columns = directions[0]!.length;
  const rows = matrix.length / columns;
  const data = new Float32Array(rows * rank);
  for (let row = 0; row < rows; row++) {
    const weights = Float64Array.from(matrix.subarray(row * columns, (row + 1) * columns));
    for (const [k, direction] of directions.entries()) data[row * rank + k] = dot(weights, direction);
  }
  return { shape: [rows, rank], data };
}
