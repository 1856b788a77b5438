/** @file Which weights a file holds, in which type, and their bytes block by block. */
import { UserError } from '../core/errors.js';
import { encodedLength, encodeTensor, type WrittenType } from '../core/formats/encodeTensor.js';
import { storedBlocks } from '../core/formats/storedType.js';
import type { ModelConfig } from '../core/models/config.js';
import { permuteRows } from '../core/models/rowOrder.js';
import type { WeightStore } from '../core/models/weights.js';
import type { WeightSpec } from '../core/models/weightSpec.js';
import { weightTable } from '../core/models/weightTable.js';
import { elementCount } from '../core/shape.js';
import { t } from '../l10n/text.js';
import type { ExportDType } from '../protocol/export.js';

export type ModelFormat = 'huggingFace' | 'gguf';

export interface PlannedWeight {
  readonly spec: WeightSpec;
  /** In the file. */
  readonly name: string;
  readonly type: WrittenType;
  readonly byteLength: number;
}

const writtenTypes: { readonly [K in ExportDType]: WrittenType } = {
  f32: 'F32',
  f16: 'F16',
  bf16: 'BF16',
  q8_0: 'Q8_0',
  q4_0: 'Q4_0',
  q4_1: 'Q4_1',
};

/** For files that hold no blocks, as dtypesOfTarget says. */
export function plainType(dtype: ExportDType): 'F32' | 'F16' | 'BF16' {
  const type = writtenTypes[dtype];
  if (type === 'F32' || type === 'F16' || type === 'BF16') return type;
  throw new Error(`internal: no blocks of ${type} in this file`);
}

export function plannedWeights(config: ModelConfig, format: ModelFormat, dtype: ExportDType): PlannedWeight[] {
  return weightTable(config).all.map((spec) => {
    const type = format === 'gguf' ? typeInGguf(spec, writtenTypes[dtype]) : writtenTypes[dtype];
    const name = format === 'gguf' ? spec.ggufName : spec.name;
    return { spec, name, type, byteLength: encodedLength(type, elementCount(spec.shape)) };
  });
}

/**
 * llama.cpp takes vectors in fp32 only. Tables lose more than other matrices in 4 bits, so they get 8; rows that do not divide
 * into blocks stay in 16 bits.
 */
function typeInGguf({ kind, shape }: WeightSpec, type: WrittenType): WrittenType {
  if (kind === 'vector') return 'F32';
  const isBlocks = storedBlocks[type].elements > 1;
  if (isBlocks && shape[1]! % storedBlocks[type].elements !== 0) return 'F16';
  return isBlocks && kind === 'table' ? 'Q8_0' : type;
}

/** Rows to hold at a time: whole heads, about 4 MB. */
export function rowsPerBlock({ headDim }: ModelConfig, { shape }: WeightSpec): number {
  const [rows, width] = shape as [number, number?];
  if (width === undefined) return rows;
  return Math.min(rows, headDim * Math.max(1, Math.floor(2 ** 20 / (width * headDim))));
}

/** The weight's bytes in the file, in order. A block is valid until the next one is asked for. */
export function* encodedBlocks(source: WeightStore, weight: PlannedWeight, format: ModelFormat): Generator<Uint8Array> {
  const { spec, type } = weight;
  const [rows, width = 1] = spec.shape as [number, number?];
  const step = rowsPerBlock(source.config, spec);
  const buffer = new Float32Array(step * width);
  for (let first = 0; first < rows; first += step) {
    const values = buffer.subarray(0, Math.min(step, rows - first) * width);
    source.readRows(spec.name, first, values);
    toFileValues(values, spec, format, source.config.headDim);
    const bytes = encodeTensor(type, values);
    if (type === 'F16') checkHalves(bytes, weight.name);
    yield bytes;
  }
}

/** Undoes what reading did (WeightInfo). */
function toFileValues(values: Float32Array, spec: WeightSpec, format: ModelFormat, headDim: number): void {
  if (format === 'gguf' && spec.permutedInGguf) permuteRows(values, headDim, spec.shape[1] ?? 1);
  if (format === 'huggingFace' && spec.lessOne) for (let i = 0; i < values.length; i++) values[i]! -= 1;
}

/** Throws UserError('file-unsupported') if a value became infinite. */
function checkHalves({ buffer, byteOffset, byteLength }: Uint8Array, name: string): void {
  const halves = new Uint16Array(buffer, byteOffset, byteLength / 2);
  if (halves.every((half) => (half & 0x7fff) < 0x7c00)) return;
  const message = t`The weight ${name} has values beyond 65,504, which f16 cannot hold. Export as bf16 or f32.`;
  throw new UserError('file-unsupported', message);
}
