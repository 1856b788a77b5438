/** @file A frozen matrix [rows, columns] in a graph, in whichever form it is held. */
import { bitsOf, blockColumns, type PackedForm } from '../formats/packedBlocks.js';
import type { StoredType } from '../formats/storedType.js';
import type { GraphBuilder } from '../graph/builder.js';
import { dithered } from '../graph/dither.js';
import { tensorBytes, type Value } from '../graph/types.js';
import type { Shape } from '../shape.js';

/** Forms that are widened to fp32 for a product. */
export type FloatForm = 'F32' | 'F16' | 'BF16' | PackedForm;

/**
 * Forms for products in integers (`integerMatmul` in graph/types.ts). I7 has codes of at most ±63: processors without VNNI add
 * two products of 8 bits in 16 bits, where larger codes would saturate.
 */
export type IntegerForm = 'I8' | 'I7';

export type MatrixForm = FloatForm | IntegerForm;

/** One of the tensors that make up a matrix. The name of its program input is the matrix's name plus the suffix. */
export interface MatrixPart {
  readonly suffix: '' | '.codes' | '.scales' | '.minimums' | '.reverse_codes' | '.reverse_scales';
  readonly dtype: 'float32' | 'float16' | 'bfloat16' | 'int8' | 'uint8';
  readonly shape: Shape;
}

const plainTypes = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/** In the words of `engine.base_dtype`, for people. */
export function dtypeInWords(form: MatrixForm): string {
  if (isInteger(form)) return `int${form.slice(1)}`;
  return isPlain(form) ? { F32: 'fp32', F16: 'fp16', BF16: 'bf16' }[form] : `int${bitsOf(form)}`;
}

/** Whether each element is stored as a separate number. */
export function isPlain(type: StoredType | MatrixForm): type is keyof typeof plainTypes {
  return type in plainTypes;
}

export function isInteger(form: string): form is IntegerForm {
  return form === 'I8' || form === 'I7';
}

export function matrixParts(form: MatrixForm, [rows, columns]: readonly [number, number]): MatrixPart[] {
  if (isPlain(form)) return [{ suffix: '', dtype: plainTypes[form], shape: [rows, columns] }];
  if (isInteger(form)) {
    return [
      { suffix: '.codes', dtype: 'int8', shape: [columns, rows] },
      { suffix: '.scales', dtype: 'float32', shape: [rows] },
      { suffix: '.reverse_codes', dtype: 'int8', shape: [rows, columns] },
      { suffix: '.reverse_scales', dtype: 'float32', shape: [columns] },
    ];
  }
  const blocks = columns / blockColumns;
  return [
    { suffix: '.codes', dtype: 'uint8', shape: [rows, blocks, 4 * bitsOf(form)] },
    { suffix: '.scales', dtype: 'float32', shape: [rows, blocks] },
    ...(form === 'Q4_1' ? [{ suffix: '.minimums', dtype: 'float32', shape: [rows, blocks] } as const] : []),
  ];
}

export function matrixBytes(form: MatrixForm, shape: readonly [number, number]): number {
  return matrixParts(form, shape).reduce((sum, part) => sum + tensorBytes(part), 0);
}

/** x [n, columns] · Wᵀ → [n, rows]. A product in integers also reads the program input `smoothing` [columns]. */
export function frozenProduct(
  b: GraphBuilder,
  name: string,
  shape: readonly [number, number],
  x: Value,
  form: MatrixForm,
  smoothing: string,
): Value {
  if (isInteger(form)) return b.integerMatmul(x, [...inputs(b, name, shape, form), b.input(smoothing, [shape[1]])]);
  return b.matmul(x, inFloat32(b, inputs(b, name, shape, form), form), { transposeB: true });
}

/** The mean of the matrix's rows, weighted with p [n, rows] between 0 and 1: p · W → [n, columns]. */
export function frozenMean(b: GraphBuilder, name: string, shape: readonly [number, number], p: Value, form: MatrixForm): Value {
  const weight = inputs(b, name, shape, form);
  if (!isInteger(form)) return b.matmul(p, inFloat32(b, weight, form));
  const [, , codes, scales] = weight as [Value, Value, Value, Value];
  // Rounded to the nearest code, small shares would all vanish, and together they are several percent of the whole.
  return b.integerProduct(b.roundShares(dithered(b, p, 1 / 255)), codes, scales, { zeroPoint: 0, factor: 1 / 255 });
}

/** Rows [n, columns] of the matrix, in fp32; the other rows are never unpacked. */
export function frozenRows(
  b: GraphBuilder,
  name: string,
  shape: readonly [number, number],
  form: MatrixForm,
  indices: Value,
): Value {
  if (isInteger(form)) {
    const [, , codes, scales] = inputs(b, name, shape, form);
    return b.multiply(b.cast(b.gatherRows(codes!, indices), 'float32'), scales!);
  }
  return inFloat32(
    b,
    inputs(b, name, shape, form).map((part) => b.gatherRows(part, indices)),
    form,
  );
}

function inputs(b: GraphBuilder, name: string, shape: readonly [number, number], form: MatrixForm): Value[] {
  return matrixParts(form, shape).map((part) => b.input(name + part.suffix, part.shape, part.dtype));
}

function inFloat32(b: GraphBuilder, parts: readonly Value[], form: FloatForm): Value {
  if (isPlain(form)) return b.cast(parts[0]!, 'float32');
  const [codes, scales, minimums] = parts as [Value, Value, Value?];
  return b.dequantize(bitsOf(form), codes, scales, minimums);
}
