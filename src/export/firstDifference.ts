import { weightTable } from '../core/models/weightTable.js';
import type { WeightStore } from '../core/models/weights.js';
import type { WeightSpec } from '../core/models/weightSpec.js';
import type { ExportDType } from '../protocol/export.js';
import type { ExportContext } from './exportContext.js';
import { mergedRows } from './mergedRows.js';
import { rowsPerBlock } from './plannedWeights.js';

interface Difference {
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
export function firstDifference(context: ExportContext, exported: WeightStore, rows: 'ends' | 'all'): Difference | null {
  for (const spec of weightTable(exported.config).all) {
    const starts = blockStarts(context, spec, rows);
    for (const start of starts) {
      const row = differingRow(context, exported, spec, start);
      if (row !== null) return { name: spec.name, row };
    }
  }
  return null;
}

function blockStarts({ model }: ExportContext, spec: WeightSpec, rows: 'ends' | 'all'): number[] {
  const step = rowsPerBlock(model.weights.config, spec);
  const starts = Array.from({ length: Math.ceil(spec.shape[0]! / step) }, (_, block) => block * step);
  return rows === 'all' ? starts : [...new Set([starts[0]!, starts.at(-1)!])];
}

function differingRow(context: ExportContext, exported: WeightStore, spec: WeightSpec, start: number): number | null {
  const { model, adapter, strength, dtype } = context;
  const { config } = model.weights;
  const [rows, width = 1] = spec.shape as [number, number?];
  const count = Math.min(rowsPerBlock(config, spec), rows - start);
  const [expected, found] = [new Float32Array(count * width), new Float32Array(count * width)];
  mergedRows(model.weights, adapter, strength).read(spec, start, expected);
  exported.readRows(spec.name, start, found);
  for (let row = 0; row < count; row++) {
    const [from, to] = [row * width, (row + 1) * width];
    let largest = 0;
    for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(expected[i]!));
    const allowed = largest * roundings[dtype] + 2 ** -24;
    for (let i = from; i < to; i++) if (!(Math.abs(found[i]! - expected[i]!) <= allowed)) return start + row;
  }
  return null;
}
