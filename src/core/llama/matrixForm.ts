/** @file In which form a model's matrices are held, by what is wished and how they are stored. */
import { blockColumns, packedForms } from '../formats/packedBlocks.js';
import type { MatrixForm } from './frozenMatrix.js';
import type { LinearForms } from './linear.js';
import { linearNames, linearPath, type LinearName, type WeightInfo, type WeightStore } from './weights.js';

/** How weights are wished to be held. Stored: quantized ones as they are, and others in 8 bits. */
export type WeightWish = 'fp32' | 'fp16' | 'int8' | 'int4' | 'stored';

/** Quantized weights are used as they are where int4 is wished; rows that do not divide into blocks stay fp32. */
export function matrixForm({ storedType, shape }: WeightInfo, wish: WeightWish): MatrixForm {
  if (wish === 'fp32') return 'F32';
  if (wish === 'fp16') return 'F16';
  if (shape[1]! % blockColumns !== 0) return 'F32';
  const isFloat = storedType === 'F32' || storedType === 'F16' || storedType === 'BF16';
  if (wish === 'int8') return 'Q8_0';
  return isFloat ? (wish === 'int4' ? 'Q4_1' : 'Q8_0') : packedForms[storedType];
}

/** How training holds the base model's matrices; norms and biases are fp32. With int4, tables of the vocabulary are in 8 bits or as stored. */
export type BaseDType = 'fp32' | 'fp16' | 'int4';

export function tableWish(dtype: BaseDType): WeightWish {
  return dtype === 'int4' ? 'stored' : dtype;
}

/** Of a layer's linears, which decides what its programs look like. */
export function linearForms(store: Pick<WeightStore, 'info'>, layer: number, dtype: BaseDType): LinearForms {
  const form = (linear: LinearName): MatrixForm => matrixForm(store.info(`${linearPath(layer, linear)}.weight`)!, dtype);
  return Object.fromEntries(linearNames.map((linear) => [linear, form(linear)])) as Record<LinearName, MatrixForm>;
}
