/** @file The weights of a folder as Meta publishes LLaMA: params.json, and consolidated.00.pth with its further shards. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';
import type { TensorEntry } from '../core/formats/tensorEntry.js';
import type { ModelConfig } from '../core/models/config.js';
import { configFromMeta, isDerivedInMeta, joinAxis, metaEmbedding, metaHead, metaName } from '../core/models/metaLlama.js';
import { familyOf } from '../core/models/registry.js';
import type { WeightStore } from '../core/models/weights.js';
import type { WeightSpec } from '../core/models/weightSpec.js';
import { weightTable } from '../core/models/weightTable.js';
import { sameShape } from '../core/shape.js';
import { t } from '../l10n/text.js';
import { openFile } from './fileSource.js';
import { readJsonFile } from './jsonFile.js';
import { reading } from './reading.js';
import { floatType, tensorEntries } from './tensorFile.js';
import { FileWeightStore, wholePart, type FileWeight, type WeightPart } from './weightStore.js';

export const paramsFile = 'params.json';

export function isMetaShard(name: string): boolean {
  return /^consolidated\.\d+\.pth$/.test(name);
}

/** One model-parallel process's file. */
interface Shard {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

/** Throws UserError naming the file that is missing, damaged or contradicts params.json. */
export function openMetaWeights(folder: string): WeightStore {
  const sources = new Map<string, ByteSource>();
  try {
    const shards = shardNames(folder).map((name): Shard => {
      const source = openFile(join(folder, name));
      sources.set(source.name, source);
      return { file: source.name, tensors: tensorEntries(source) };
    });
    const paramsPath = join(folder, paramsFile);
    const config = configFromMeta(readJsonFile(paramsPath), factsOf(shards), paramsPath);
    return new FileWeightStore(config, joinedWeights(shards, config), sources, folder);
  } catch (error) {
    sources.forEach((source) => source.close());
    throw error;
  }
}

/** Numbered from 00 without a gap; their order is that of the rows and columns that they hold. */
function shardNames(folder: string): string[] {
  const names = reading(folder, () => readdirSync(folder))
    .filter(isMetaShard)
    .sort();
  names.forEach((name, index) => {
    const expected = `consolidated.${String(index).padStart(2, '0')}.pth`;
    if (name !== expected) throw new UserError('file-not-found', t`${join(folder, expected)} is missing.`);
  });
  return names;
}

/** A tied head is left out, or refers to the same bytes as the embedding. */
function factsOf(shards: readonly Shard[]): { vocabSize: number; tiedEmbeddings: boolean } {
  const first = shards[0]!;
  const [embedding, head] = [first.tensors.get(metaEmbedding), first.tensors.get(metaHead)];
  if (!embedding) throw new UserError('file-corrupt', t`${first.file} has no tensor ${metaEmbedding}.`);
  const tiedEmbeddings = !head || head.offset === embedding.offset;
  const rows = (name: string) => shards.reduce((sum, { tensors }) => sum + (tensors.get(name)?.shape[0] ?? 0), 0);
  return { vocabSize: head ? rows(metaHead) : rows(metaEmbedding), tiedEmbeddings };
}

function joinedWeights(shards: readonly Shard[], config: ModelConfig): Map<string, FileWeight> {
  const specs = weightTable(config).all;
  refuseUnknown(shards[0]!, specs, config);
  return new Map(specs.map((spec) => [spec.name, joinedWeight(shards, spec, config)]));
}

function refuseUnknown({ file, tensors }: Shard, specs: readonly WeightSpec[], config: ModelConfig): void {
  const known = new Set([...specs.map(metaName), metaHead]);
  const unknown = [...tensors.keys()].find((name) => !known.has(name) && !isDerivedInMeta(name));
  if (unknown === undefined) return;
  const { architecture } = familyOf(config);
  throw new UserError('model-unsupported', t`${file} holds the tensor ${unknown}, which no ${architecture} has.`);
}

function joinedWeight(shards: readonly Shard[], spec: WeightSpec, config: ModelConfig): FileWeight {
  const pieces = shards.map((shard) => piece(shard, metaName(spec)));
  const [{ entry, file, storedType }] = pieces as [Piece];
  const weight = { name: spec.name, storedType, file, permutedRows: spec.permutedInGguf, lessOne: false };
  const axis = joinAxis(spec, entry.shape[1]!, config);
  if (axis === null || pieces.length === 1) {
    const { shape, byteLength, offset } = entry;
    return { ...weight, shape, byteLength, parts: [wholePart(file, offset, shape)] };
  }
  const odd = pieces.find((each) => !sameShape(each.entry.shape, entry.shape) || each.storedType !== storedType);
  if (odd) throw new UserError('file-corrupt', t`${odd.file}: the tensor ${entry.name} does not fit those of the other shards.`);
  const shape = entry.shape.map((length, each) => (each === axis ? length * pieces.length : length));
  const parts = pieces.map((each, index) => partOf(each, index, axis));
  return { ...weight, shape, byteLength: entry.byteLength * pieces.length, parts };
}

interface Piece {
  readonly file: string;
  readonly entry: TensorEntry;
  readonly storedType: FileWeight['storedType'];
}

function piece({ file, tensors }: Shard, name: string): Piece {
  const entry = tensors.get(name);
  if (!entry) throw new UserError('file-corrupt', t`${file} has no tensor ${name}.`);
  return { file, entry, storedType: floatType(entry, file) };
}

function partOf({ file, entry }: Piece, index: number, axis: 0 | 1): WeightPart {
  const [rows, columns] = entry.shape as [number, number];
  const place = axis === 0 ? { firstRow: index * rows } : { firstColumn: index * columns };
  return { ...wholePart(file, entry.offset, entry.shape), ...place };
}
