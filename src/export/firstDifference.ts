/** @file Where an export differs from what it was made from by more than the rounding to its type. */
import { loraParameters, loraScaling } from '../core/adapters/lora.js';
import type { Adapter } from '../core/adapters/peft.js';
import type { WeightStore } from '../core/models/weights.js';
import type { WeightSpec } from '../core/models/weightSpec.js';
import { weightTable } from '../core/models/weightTable.js';
import type { ExportDType } from '../protocol/export.js';
import type { ExportContext } from './exportContext.js';
import { mergedWeights } from './mergedWeights.js';
import { rowsPerBlock } from './plannedWeights.js';

export interface Difference {
  readonly name: string;
  readonly row: number;
}

/** How far rounding moves a value, as a share of the largest in its row. A little is added for the rounding of scales. */
const roundings: { readonly [K in ExportDType]: number } = {
  f32: 1e-6,
  f16: 2 ** -11 * 1.01,
  bf16: 2 ** -8 * 1.01,
  q8_0: 1 / 200,
  // The value of largest magnitude is −8 steps, so one of the other sign may be a step short.
  q4_0: 1 / 7,
  q4_1: 1 / 14,
};

/**
 * The first weight of the exported file that is not base and adapter rounded to its type: in all rows, or in the first and the
 * last block of rows of each weight.
 */
export function firstWeightDifference(context: ExportContext, exported: WeightStore, rows: 'ends' | 'all'): Difference | null {
  const { model, adapter, strength, dtype } = context;
  const merged = mergedWeights(model.weights, adapter, strength);
  for (const spec of weightTable(exported.config).all) {
    const [rowCount, width = 1] = spec.shape as [number, number?];
    for (const start of blockStarts(merged, spec, rows)) {
      const length = width * Math.min(rowsPerBlock(merged.config, spec), rowCount - start);
      const [expected, found] = [new Float32Array(length), new Float32Array(length)];
      merged.readRows(spec.name, start, expected);
      exported.readRows(spec.name, start, found);
      const row = differingRow(found, expected, width, dtype);
      if (row !== null) return { name: spec.name, row: start + row };
    }
  }
  return null;
}

function blockStarts({ config }: WeightStore, spec: WeightSpec, rows: 'ends' | 'all'): number[] {
  const step = rowsPerBlock(config, spec);
  const starts = Array.from({ length: Math.ceil(spec.shape[0]! / step) }, (_, block) => block * step);
  return rows === 'all' ? starts : [...new Set([starts[0]!, starts.at(-1)!])];
}

/** The same for the parameters of an adapter, with its scaling multiplied into B. */
export function firstParameterDifference(
  { model, adapter, strength, dtype }: ExportContext,
  exported: Adapter,
): Difference | null {
  const scaled = ({ lora, parameters }: Adapter, name: string, matrix: 'A' | 'B', factor: number): Float32Array =>
    parameters.get(name)!.data.map((value) => (matrix === 'A' ? value : factor * loraScaling(lora) * value));
  for (const { name, matrix, shape } of loraParameters(model.weights.config, adapter!.lora)) {
    const expected = scaled(adapter!, name, matrix, strength);
    const row = differingRow(scaled(exported, name, matrix, 1), expected, shape[1], dtype);
    if (row !== null) return { name, row };
  }
  return null;
}

function differingRow(found: Float32Array, expected: Float32Array, width: number, dtype: ExportDType): number | null {
  for (let from = 0; from < expected.length; from += width) {
    let largest = 0;
    for (let i = from; i < from + width; i++) largest = Math.max(largest, Math.abs(expected[i]!));
    const allowed = largest * roundings[dtype] + 2 ** -24;
    // A comparison with NaN is false.
    for (let i = from; i < from + width; i++) if (!(Math.abs(found[i]! - expected[i]!) <= allowed)) return from / width;
  }
  return null;
}
