/** @file In which form a model's matrices are held, by what is wished and how they are stored. */
import { blockColumns, packedForms } from '../formats/packedBlocks.js';
import type { DeviceKind } from '../graph/types.js';
import { isPlain, type MatrixForm } from './frozenMatrix.js';
import { formsOfLinears, type LinearForms } from './linear.js';
import type { LinearName } from './linears.js';
import type { WeightInfo, WeightStore } from './weights.js';
import { weightTable } from './weightTable.js';

/**
 * How weights are wished to be held. Exact: as no less than they are stored, which for 16-bit floats is as they are. Stored:
 * quantized ones as they are, and others in 8 bits.
 */
export type WeightWish = 'fp32' | 'exact' | 'fp16' | 'int8' | 'int4' | 'stored';

/** Quantized weights are used as they are where int4 is wished; rows that do not divide into blocks stay fp32. */
export function matrixForm({ storedType, shape }: WeightInfo, wish: WeightWish): MatrixForm {
  if (wish === 'fp32') return 'F32';
  if (wish === 'exact') return isPlain(storedType) ? storedType : 'F32';
  if (wish === 'fp16') return 'F16';
  if (shape[1]! % blockColumns !== 0) return 'F32';
  if (wish === 'int8') return 'Q8_0';
  return isPlain(storedType) ? (wish === 'int4' ? 'Q4_1' : 'Q8_0') : packedForms[storedType];
}

/** How training computes with the base model's matrices, the most exact first; norms and biases are fp32. */
export const baseDTypes = ['fp32', 'fp16', 'int4'] as const;
export type BaseDType = (typeof baseDTypes)[number];

/** What training wishes for the matrices of layers and for the tables of the vocabulary. */
export interface BaseWishes {
  readonly linears: WeightWish;
  readonly tables: WeightWish;
}

/**
 * The CPU widens 16-bit floats just before a product: the numbers are those of an fp32 base at half its memory, and as fast. A GPU
 * has no bfloat16, so there an fp32 base is held in fp32. With int4, tables are in 8 bits or as stored.
 */
export function baseWishes(dtype: BaseDType, device: DeviceKind): BaseWishes {
  if (dtype === 'int4') return { linears: 'int4', tables: 'stored' };
  const wish = dtype === 'fp32' && device === 'cpu' ? 'exact' : dtype;
  return { linears: wish, tables: wish };
}

export function linearForm(
  store: Pick<WeightStore, 'config' | 'info'>,
  layer: number,
  linear: LinearName,
  wish: WeightWish,
): MatrixForm {
  return matrixForm(store.info(weightTable(store.config).ofLayer(layer, `${linear}.weight`).name)!, wish);
}

/** Of a layer's linears, which decides what its programs look like. */
export function linearForms(store: Pick<WeightStore, 'config' | 'info'>, layer: number, wish: WeightWish): LinearForms {
  return formsOfLinears((linear) => linearForm(store, layer, linear, wish));
}
