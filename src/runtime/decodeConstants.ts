/** @file The frozen weights, in the form in which the decode programs embed them. */
import { asPairs, bitsOf, blockColumns } from '../core/formats/packedBlocks.js';
import type { Constants } from '../core/graph/lower.js';
import type { Program } from '../core/graph/types.js';
import { isInteger, isPlain, matrixParts, type FloatForm } from '../core/models/frozenMatrix.js';
import { inputOf, type LinearName } from '../core/models/linears.js';
import { linearForm, matrixForm, ofBlocks, type DecodePrecision } from '../core/models/matrixForm.js';
import type { WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import { elementCount } from '../core/shape.js';
import { hostArray, type HostArray } from './device.js';
import { readMatrix, readRounded, type RowRange } from './readMatrix.js';
import type { Smoothing } from './smoothing.js';

/** The head works on one row at a time, for which products in integers are no faster. */
export function headForm(store: WeightStore, dtype: DecodePrecision): FloatForm {
  return matrixForm(store.info(weightTable(store.config).head.name)!, ofBlocks(dtype));
}

/** The bytes of every weight input of a decodeLayersProgram. Products in integers need the smoothing. */
export function decodeConstants(store: WeightStore, program: Program, dtype: DecodePrecision, smoothing?: Smoothing): Constants {
  const table = weightTable(store.config);
  const constants = new Map<string, Uint8Array>();
  for (const name of program.inputs.keys()) {
    const [layer, part, kind] = name.split('.') as [string, string, string | undefined];
    const stack = (): string[] =>
      part.split('+').map((linear) => table.ofLayer(Number(layer), `${linear}.${kind === 'bias' ? 'bias' : 'weight'}`).name);
    if (layer === 'block_sums') {
      constants.set(name, blockSums(Number(part)));
    } else if (kind === 'weight') {
      constants.set(name, bytesOf(store.readFloat32(table.ofLayer(Number(layer), `${part}.weight`).name)));
    } else if (kind === 'bias') {
      constants.set(name, bytesOf(Float32Array.from(stack().flatMap((bias) => [...store.readFloat32(bias)]))));
    } else if (kind === 'smoothing') {
      constants.set(name, bytesOf(smoothing!.layers[Number(layer)]!.get(part)!));
    } else if (kind === 'codes' || kind === 'weight_transposed') {
      const first = part.split('+')[0] as LinearName;
      const form = linearForm(store, Number(layer), first, dtype);
      if (isInteger(form)) {
        const { codes, scales } = readRounded(store, stack(), smoothing!.layers[Number(layer)]!.get(inputOf(first).name)!);
        constants.set(name, new Uint8Array(codes.buffer)).set(`${layer}.${part}.scales`, bytesOf(scales));
      } else addMatrix(constants, `${layer}.${part}`, readStack(store, stack(), form));
    }
  }
  return constants;
}

/** Some rows of the head. */
export function readHead(store: WeightStore, dtype: DecodePrecision, range: RowRange): Matrix {
  const { name, shape } = weightTable(store.config).head;
  const form = headForm(store, dtype);
  const parts = readMatrix(store, name, form, undefined, range).map(({ data }) => data);
  return { form, rows: range.rows, columns: shape[1]!, parts };
}

/** The inputs of a decodeHeadProgram for these rows. */
export function headConstants(store: WeightStore, program: Program, rows: Matrix): Constants {
  const constants = new Map([['norm.weight', bytesOf(store.readFloat32('model.norm.weight'))]]);
  addMatrix(constants, 'lm_head', rows);
  const { hiddenSize } = store.config;
  if (program.inputs.has(`block_sums.${hiddenSize}`)) constants.set(`block_sums.${hiddenSize}`, blockSums(hiddenSize));
  return constants;
}

/** A matrix [rows, columns], with its parts in the order of matrixParts. */
interface Matrix {
  readonly form: FloatForm;
  readonly rows: number;
  readonly columns: number;
  readonly parts: readonly HostArray[];
}

function addMatrix(constants: Map<string, Uint8Array>, localName: string, { form, rows, columns, parts }: Matrix): void {
  const [first, scales, minimums] = parts;
  if (isPlain(form)) {
    constants.set(`${localName}.weight_transposed`, bytesOf(transposed(first as Float32Array, rows, columns)));
    return;
  }
  constants.set(`${localName}.codes`, bitsOf(form) === 4 ? asPairs(first as Uint8Array) : (first as Uint8Array));
  constants.set(`${localName}.scales`, bytesOf(scales as Float32Array));
  if (minimums) {
    const offsets = (minimums as Float32Array).map((minimum, block) => minimum + 8 * (scales as Float32Array)[block]!);
    constants.set(`${localName}.offsets`, bytesOf(transposed(offsets, rows, columns / blockColumns)));
  }
}

/** The stored matrices stacked vertically: one array per part, for all of them. */
function readStack(store: WeightStore, names: readonly string[], form: FloatForm): Matrix {
  const shapes = names.map((name) => store.info(name)!.shape as [number, number]);
  const rows = shapes.reduce((sum, shape) => sum + shape[0], 0);
  const columns = shapes[0]![1];
  const whole = new Map(
    matrixParts(form, [rows, columns]).map((part) => [part.suffix as string, hostArray(part.dtype, elementCount(part.shape))]),
  );
  const filled = new Map<string, number>();
  for (const name of names) {
    readMatrix(store, name, form, (partName, _dtype, length) => {
      const suffix = partName.slice(name.length);
      const start = filled.get(suffix) ?? 0;
      filled.set(suffix, start + length);
      return whole.get(suffix)!.subarray(start, start + length);
    });
  }
  return { form, rows, columns, parts: [...whole.values()] };
}

/** A matrix [columns, blocks] that turns a vector into the sums of its blocks. */
function blockSums(columns: number): Uint8Array {
  const blocks = columns / blockColumns;
  const ones = new Float32Array(columns * blocks);
  for (let column = 0; column < columns; column++) ones[column * blocks + Math.floor(column / blockColumns)] = 1;
  return bytesOf(ones);
}

/** [rows, columns] → [columns, rows], in tiles that stay in the cache. */
function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  const tile = 64;
  for (let row0 = 0; row0 < rows; row0 += tile) {
    for (let column0 = 0; column0 < columns; column0 += tile) {
      const rowEnd = Math.min(rows, row0 + tile);
      const columnEnd = Math.min(columns, column0 + tile);
      for (let row = row0; row < rowEnd; row++) {
        for (let column = column0; column < columnEnd; column++) result[column * rows + row] = matrix[row * columns + column]!;
      }
    }
  }
  return result;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
