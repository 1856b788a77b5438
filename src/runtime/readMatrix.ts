/** @file Reads frozen matrices from the model's files into the form in which they are held, a few rows at a time. */
import { checkFinite, checkFinite16 } from '../core/formats/decodeTensor.js';
import { float32ToBfloat16, float32ToFloat16 } from '../core/formats/float16.js';
import { blockFormats } from '../core/formats/ggmlBlocks.js';
import {
  blockColumns,
  packedForms,
  repack,
  roundToBlocks,
  type PackedBlocks,
  type PackedForm,
} from '../core/formats/packedBlocks.js';
import type { DType } from '../core/graph/types.js';
import { isInteger, matrixParts, type MatrixForm, type MatrixPart } from '../core/models/frozenMatrix.js';
import { unpermutedRow } from '../core/models/rowOrder.js';
import type { WeightInfo, WeightStore } from '../core/models/weights.js';
import { elementCount } from '../core/shape.js';
import { hostArray, type HostArray } from './device.js';
import { integerLimit, roundColumns, roundRowsTransposed, type IntegerMatrix, type Rounding } from './integerMatrix.js';

export interface HostPart extends MatrixPart {
  readonly data: HostArray;
}

/** Provides the memory for a tensor. A part's name is the matrix's name plus the suffix. */
export type Allocate = (name: string, dtype: DType, length: number) => HostArray;

/** Some rows of a matrix; only whole heads if its rows are permuted. */
export interface RowRange {
  readonly firstRow: number;
  readonly rows: number;
}

const fresh: Allocate = (_name, dtype, length) => hostArray(dtype, length);

/** `smoothing` [columns] divides the codes of products in integers. */
export function readMatrix(
  store: WeightStore,
  name: string,
  form: MatrixForm,
  allocate = fresh,
  range?: RowRange,
  smoothing?: Float32Array,
): HostPart[] {
  const info = store.info(name)!;
  const [rowCount, columns] = info.shape as [number, number];
  const wanted = range ?? { firstRow: 0, rows: rowCount };
  const parts = matrixParts(form, [wanted.rows, columns]).map((part) => ({
    ...part,
    data: allocate(name + part.suffix, part.dtype, elementCount(part.shape)),
  }));
  const [data, scales, minimums] = parts.map((part) => part.data);
  if (isInteger(form)) {
    const matrix = parts.map((part) => part.data) as unknown as IntegerMatrix;
    readIntegers(store, info, { limit: integerLimit[form], smoothing: smoothing! }, wanted, matrix);
  } else if (form === 'F32') store.readRows(name, wanted.firstRow, data as Float32Array);
  else if (form === 'F16' || form === 'BF16') read16Bit(store, info, form, wanted, data as Uint16Array);
  else {
    const blocks = {
      codes: data as Uint8Array,
      scales: scales as Float32Array,
      ...(minimums && { minimums: minimums as Float32Array }),
    };
    readBlocks(store, info, form, wanted, blocks);
    checkFinite(info.file, name, blocks.scales);
    if (blocks.minimums) checkFinite(info.file, name, blocks.minimums);
  }
  return parts;
}

/** Twice through the file, because the scales of columns are known only at the end; so fp32 never holds a whole matrix. */
function readIntegers(store: WeightStore, info: WeightInfo, rounding: Rounding, range: RowRange, matrix: IntegerMatrix): void {
  matrix[3].fill(0); // memory may be used again
  const rounds = [
    (values: Float32Array, firstRow: number) => roundRowsTransposed(values, firstRow, rounding, matrix),
    (values: Float32Array, firstRow: number) => roundColumns(values, firstRow, matrix),
  ];
  for (const round of rounds) {
    for (const { firstRow, rows } of chunks(store, info, range)) {
      const values = new Float32Array(rows * info.shape[1]!);
      store.readRows(info.name, firstRow, values);
      round(values, firstRow - range.firstRow);
    }
  }
}

/** Matrices stacked vertically, rounded for one product in integers: codes [columns, total rows] and scales [total rows]. */
export function readRounded(
  store: WeightStore,
  names: readonly string[],
  smoothing: Float32Array,
): { readonly codes: Int8Array; readonly scales: Float32Array } {
  const infos = names.map((name) => store.info(name)!);
  const totalRows = infos.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const columns = smoothing.length;
  const [codes, scales] = [new Int8Array(totalRows * columns), new Float32Array(totalRows)];
  const rounding = { limit: integerLimit.I8, smoothing };
  let start = 0;
  for (const info of infos) {
    for (const { firstRow, rows } of chunks(store, info, { firstRow: 0, rows: info.shape[0]! })) {
      const values = new Float32Array(rows * columns);
      store.readRows(info.name, firstRow, values);
      roundRowsTransposed(values, start + firstRow, rounding, [codes, scales, new Int8Array(0), new Float32Array(columns)]);
    }
    start += info.shape[0]!;
  }
  return { codes, scales };
}

/** BF16 is only used for weights stored as BF16. */
function read16Bit(store: WeightStore, info: WeightInfo, form: 'F16' | 'BF16', range: RowRange, into: Uint16Array): void {
  const [, columns] = info.shape as [number, number];
  if (info.storedType === form && !info.permutedRows) {
    store.readStoredRows(info.name, range.firstRow, new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
    checkFinite16(info.file, info.name, into, form);
    return;
  }
  const narrow = form === 'F16' ? float32ToFloat16 : float32ToBfloat16;
  for (const { firstRow, rows } of chunks(store, info, range)) {
    const values = new Float32Array(rows * columns);
    store.readRows(info.name, firstRow, values);
    into.set(narrow(values), (firstRow - range.firstRow) * columns);
  }
}

/** Block by block if the stored type has this form, otherwise through fp32. */
function readBlocks(store: WeightStore, info: WeightInfo, form: PackedForm, range: RowRange, into: PackedBlocks): void {
  const { name, storedType, shape, permutedRows } = info;
  const columns = shape[1]!;
  const blocks = columns / blockColumns;
  const repackBlock = repack[storedType as keyof typeof repack];
  if (!repackBlock || packedForms[storedType as keyof typeof packedForms] !== form) {
    for (const { firstRow, rows } of chunks(store, info, range)) {
      const values = new Float32Array(rows * columns);
      store.readRows(name, firstRow, values);
      roundToBlocks(values, form === 'Q8_0' ? 'Q8_0' : 'Q4_1', into, (firstRow - range.firstRow) * blocks);
    }
    return;
  }
  const { elements, bytes } = blockFormats[storedType as keyof typeof blockFormats];
  const rowBytes = (columns / elements) * bytes;
  for (const { firstRow, rows } of chunks(store, info, range)) {
    const stored = new Uint8Array(rows * rowBytes);
    store.readStoredRows(name, firstRow, stored);
    for (let row = 0; row < rows; row++) {
      const ownRow = permutedRows ? unpermutedRow(firstRow + row, store.config.headDim) : firstRow + row;
      let block = blocks * (ownRow - range.firstRow);
      for (let at = row * rowBytes; at < (row + 1) * rowBytes; at += bytes, block += elements / blockColumns)
        repackBlock(stored, at, into, block);
    }
  }
}

/** Ranges of rows to read at a time: whole heads, about 2²⁰ weights. */
function* chunks({ config }: WeightStore, { shape }: WeightInfo, range: RowRange): Generator<RowRange> {
  const end = range.firstRow + range.rows;
  const rows = config.headDim * Math.max(1, Math.floor(2 ** 20 / (shape[1]! * config.headDim)));
  for (let firstRow = range.firstRow; firstRow < end; firstRow += rows) yield { firstRow, rows: Math.min(rows, end - firstRow) };
}
