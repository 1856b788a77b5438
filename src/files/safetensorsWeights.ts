/** @file The weights of a Hugging Face folder: config.json and safetensors, in one file or in shards. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';
import { parseSafetensors, type SafetensorsEntry } from '../core/formats/safetensors.js';
import { shownValue } from '../core/formats/shownValue.js';
import { configFromHuggingFace } from '../core/models/registry.js';
import type { WeightInfo, WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import { t } from '../l10n/text.js';
import { openFile } from './fileSource.js';
import { readJsonFile } from './jsonFile.js';
import { floatType } from './tensorFile.js';
import { FileWeightStore } from './weightStore.js';

const singleFile = 'model.safetensors';
const indexFile = 'model.safetensors.index.json';

export function holdsSafetensors(folder: string): boolean {
  return existsSync(join(folder, singleFile)) || existsSync(join(folder, indexFile));
}

/** Throws UserError naming the file that is missing, damaged or contradicts the config. */
export function openSafetensorsWeights(folder: string): WeightStore {
  const configPath = join(folder, 'config.json');
  const config = configFromHuggingFace(readJsonFile(configPath), configPath);
  const sources = new Map<string, ByteSource>();
  try {
    const infos = new Map<string, WeightInfo>();
    const lessOne = new Set(
      weightTable(config)
        .all.filter((spec) => spec.lessOne)
        .map(({ name }) => name),
    );
    for (const file of weightFiles(folder)) {
      const source = openFile(file);
      sources.set(file, source);
      for (const entry of parseSafetensors(source).tensors.values()) addWeight(infos, entry, file, lessOne.has(entry.name));
    }
    return new FileWeightStore(config, infos, sources, folder);
  } catch (error) {
    sources.forEach((source) => source.close());
    throw error;
  }
}

/** model.safetensors, or the shards that the index lists. */
export function weightFiles(folder: string): string[] {
  if (existsSync(join(folder, singleFile))) return [join(folder, singleFile)];
  const indexPath = join(folder, indexFile);
  if (existsSync(indexPath)) return shardNames(indexPath).map((name) => join(folder, name));
  const message = existsSync(join(folder, 'pytorch_model.bin'))
    ? t`${folder} has no ${singleFile}. It has pytorch_model.bin: save the model as safetensors.`
    : t`${folder} has no ${singleFile}.`;
  throw new UserError('file-not-found', message);
}

function shardNames(indexPath: string): string[] {
  const map = (readJsonFile(indexPath) as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null) throw new UserError('file-corrupt', t`${indexPath} has no weight_map.`);
  const names = new Set(Object.values(map));
  for (const name of names) {
    if (!isPlainFileName(name)) {
      throw new UserError(
        'file-corrupt',
        t`${indexPath} names the file ${shownValue(name)}, which is not a file of this folder.`,
      );
    }
  }
  return [...(names as Set<string>)].sort();
}

/** An index may come from anywhere, so it must not point outside its folder. */
function isPlainFileName(name: unknown): boolean {
  return typeof name === 'string' && name !== '' && basename(name) === name && name !== '..' && !name.includes('\\');
}

function addWeight(infos: Map<string, WeightInfo>, entry: SafetensorsEntry, file: string, lessOne: boolean): void {
  const { name, shape, offset, byteLength } = entry;
  if (infos.has(name)) {
    throw new UserError('file-corrupt', t`${file} holds the weight ${name}, which another shard holds too.`);
  }
  infos.set(name, { name, storedType: floatType(entry, file), shape, file, offset, byteLength, permutedRows: false, lessOne });
}
