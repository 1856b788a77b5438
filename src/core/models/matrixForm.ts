/** @file The form in which a model's matrices are held, given the requested precision and how the file stores them. */
import { blockColumns, packedForms } from '../formats/packedBlocks.js';
import type { DeviceKind } from '../graph/types.js';
import { isInteger, isPlain, type FloatForm, type IntegerForm, type MatrixForm } from './frozenMatrix.js';
import { formsOfLinears, type LinearForms } from './linear.js';
import type { LinearName } from './linears.js';
import type { WeightInfo, WeightStore } from './weights.js';
import { weightTable } from './weightTable.js';

/**
 * How weights are to be held. `exact` loses nothing: 16-bit floats stay as they are, quantized weights become fp32. `stored`
 * keeps quantized weights as they are and holds others in 8 bits.
 */
export type WeightPrecision = 'fp32' | 'exact' | 'fp16' | 'int8' | 'int4' | 'stored';

/** Generation can also compute products in integers with what `stored` holds in 8 bits. */
export type DecodePrecision = Exclude<WeightPrecision, 'fp16' | 'exact'> | 'integers';

/** Training can also compute products in integers, which rounds both factors. */
export type TrainingPrecision = WeightPrecision | IntegerForm;

/** With int4, quantized weights are used as they are. Rows that do not divide into blocks stay fp32. */
export function matrixForm(info: WeightInfo, precision: WeightPrecision): FloatForm;
export function matrixForm(info: WeightInfo, precision: TrainingPrecision): MatrixForm;
export function matrixForm({ storedType, shape }: WeightInfo, precision: TrainingPrecision): MatrixForm {
  if (isInteger(precision)) return precision;
  if (precision === 'fp32') return 'F32';
  if (precision === 'exact') return isPlain(storedType) ? storedType : 'F32';
  if (precision === 'fp16') return 'F16';
  if (shape[1]! % blockColumns !== 0) return 'F32';
  if (precision === 'int8') return 'Q8_0';
  return isPlain(storedType) ? (precision === 'int4' ? 'Q4_1' : 'Q8_0') : packedForms[storedType];
}

/** How training computes with the base model's matrices, most exact first; norms and biases are always fp32. */
export const baseDTypes = ['fp32', 'fp16', 'int8', 'int4'] as const;
export type BaseDType = (typeof baseDTypes)[number];

/** The precisions that training uses for the layers' matrices, the embedding and the head; of tied tables, the head's counts. */
export interface BasePrecisions {
  readonly linears: TrainingPrecision;
  readonly embedding: WeightPrecision;
  readonly head: TrainingPrecision;
}

/**
 * The CPU widens 16-bit floats just before each product, which gives the results of an fp32 base in half the memory and at the
 * same speed. GPUs have no bfloat16, so there an fp32 base is held in fp32. With int4, tables are held in 8 bits or as stored.
 */
export function basePrecisions(dtype: BaseDType, device: DeviceKind): BasePrecisions {
  if (dtype === 'int4') return { linears: 'int4', embedding: 'stored', head: 'stored' };
  if (dtype === 'int8') return { linears: 'I8', embedding: 'exact', head: 'I8' };
  const precision = dtype === 'fp32' && device === 'cpu' ? 'exact' : dtype;
  return { linears: precision, embedding: precision, head: precision };
}

/**
 * The form in which a layer's linear is held for generation. What `down_proj` reads has channels thousands of times as loud as
 * others at some tokens, and rounded to 8 bits it would lose too much (docs/decisions/0020).
 */
export function linearForm(
  store: Pick<WeightStore, 'config' | 'info'>,
  layer: number,
  linear: LinearName,
  precision: DecodePrecision,
): MatrixForm {
  const form = matrixForm(store.info(weightTable(store.config).ofLayer(layer, `${linear}.weight`).name)!, ofBlocks(precision));
  return precision === 'integers' && form === 'Q8_0' && linear !== 'down_proj' ? 'I8' : form;
}

/** The same precision without products in integers. */
export function ofBlocks(precision: DecodePrecision): Exclude<DecodePrecision, 'integers'> {
  return precision === 'integers' ? 'stored' : precision;
}

/** The forms of a layer's linears, which determine its programs. */
export function linearForms(
  store: Pick<WeightStore, 'config' | 'info'>,
  layer: number,
  precision: TrainingPrecision,
): LinearForms {
  const nameOf = (linear: LinearName): string => weightTable(store.config).ofLayer(layer, `${linear}.weight`).name;
  return formsOfLinears((linear) => matrixForm(store.info(nameOf(linear))!, precision));
}
