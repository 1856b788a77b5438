/** @file In which form a model's matrices are held, by the precision that is asked for and how they are stored. */
import { blockColumns, packedForms } from '../formats/packedBlocks.js';
import type { DeviceKind } from '../graph/types.js';
import { isPlain, type MatrixForm } from './frozenMatrix.js';
import { formsOfLinears, type LinearForms } from './linear.js';
import type { LinearName } from './linears.js';
import type { WeightInfo, WeightStore } from './weights.js';
import { weightTable } from './weightTable.js';

/**
 * How weights are to be held. Exact: as no less than they are stored, which for 16-bit floats is as they are. Stored:
 * quantized ones as they are, and others in 8 bits.
 */
export type WeightPrecision = 'fp32' | 'exact' | 'fp16' | 'int8' | 'int4' | 'stored';

/** Quantized weights are used as they are where int4 is asked for; rows that do not divide into blocks stay fp32. */
export function matrixForm({ storedType, shape }: WeightInfo, precision: WeightPrecision): MatrixForm {
  if (precision === 'fp32') return 'F32';
  if (precision === 'exact') return isPlain(storedType) ? storedType : 'F32';
  if (precision === 'fp16') return 'F16';
  if (shape[1]! % blockColumns !== 0) return 'F32';
  if (precision === 'int8') return 'Q8_0';
  return isPlain(storedType) ? (precision === 'int4' ? 'Q4_1' : 'Q8_0') : packedForms[storedType];
}

/** How training computes with the base model's matrices, the most exact first; norms and biases are fp32. */
export const baseDTypes = ['fp32', 'fp16', 'int4'] as const;
export type BaseDType = (typeof baseDTypes)[number];

/** What training asks for, of the matrices of layers and of the tables of the vocabulary. */
export interface BasePrecisions {
  readonly linears: WeightPrecision;
  readonly tables: WeightPrecision;
}

/**
 * The CPU widens 16-bit floats just before a product: the numbers are those of an fp32 base at half its memory, and as fast. A GPU
 * has no bfloat16, so there an fp32 base is held in fp32. With int4, tables are in 8 bits or as stored.
 */
export function basePrecisions(dtype: BaseDType, device: DeviceKind): BasePrecisions {
  if (dtype === 'int4') return { linears: 'int4', tables: 'stored' };
  const precision = dtype === 'fp32' && device === 'cpu' ? 'exact' : dtype;
  return { linears: precision, tables: precision };
}

export function linearForm(
  store: Pick<WeightStore, 'config' | 'info'>,
  layer: number,
  linear: LinearName,
  precision: WeightPrecision,
): MatrixForm {
  return matrixForm(store.info(weightTable(store.config).ofLayer(layer, `${linear}.weight`).name)!, precision);
}

/** Of a layer's linears, which decides what its programs look like. */
export function linearForms(store: Pick<WeightStore, 'config' | 'info'>, layer: number, precision: WeightPrecision): LinearForms {
  return formsOfLinears((linear) => linearForm(store, layer, linear, precision));
}
