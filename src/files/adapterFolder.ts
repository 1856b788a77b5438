import { join } from 'node:path';
import {
  adapterConfigFile,
  adapterTensorsFile,
  assembleAdapter,
  checkAdapterFits,
  parsePeftConfig,
  peftConfig,
  plainAdapter,
  type Adapter,
  type MergeableAdapter,
} from '../core/adapters/peft.js';
import { UserError } from '../core/errors.js';
import { safetensorsBytes } from '../core/formats/safetensors.js';
import type { ModelConfig } from '../core/models/config.js';
import { t } from '../l10n/text.js';
import { makeFolder, writeFileAtomically } from './atomicWrite.js';
import { readJsonFile } from './jsonFile.js';
import { exists } from './reading.js';
import { readTensorFile } from './tensorFile.js';

/** What PEFT wrote before it wrote safetensors. */
export const olderTensorsFile = 'adapter_model.bin';

/** Reads a plain LoRA adapter in PEFT's format. Throws UserError naming the file that is missing, damaged or of another kind. */
export function readAdapterFolder(folder: string): Adapter {
  return plainAdapter(readMergeableFolder(folder), folder);
}

/** Like readAdapterFolder, also for what can only be merged. */
export function readMergeableFolder(folder: string): MergeableAdapter {
  const configPath = join(folder, adapterConfigFile);
  if (!exists(folder)) throw new UserError('file-not-found', t`There is no adapter at ${folder}: it was moved or deleted.`);
  if (!exists(configPath)) {
    throw new UserError('file-not-found', t`${folder} is not an adapter: it has no ${adapterConfigFile}.`);
  }
  const tensorsPath = [adapterTensorsFile, olderTensorsFile].map((name) => join(folder, name)).find(exists);
  if (tensorsPath === undefined) throw new UserError('file-not-found', t`${folder} has no ${adapterTensorsFile}.`);
  return assembleAdapter(parsePeftConfig(readJsonFile(configPath), configPath), readTensorFile(tensorsPath), tensorsPath);
}

/** Like readAdapterFolder, for a model. Throws UserError('adapter-mismatch') if the adapter was made for another. */
export function readAdapterFor(config: ModelConfig, folder: string): Adapter {
  const adapter = readAdapterFolder(folder);
  checkAdapterFits(adapter, config, folder);
  return adapter;
}

/** Like readMergeableFolder, for a model. Throws UserError('adapter-mismatch') if the adapter was made for another. */
export function readMergeableFor(config: ModelConfig, folder: string): MergeableAdapter {
  const adapter = readMergeableFolder(folder);
  checkAdapterFits(adapter, config, folder);
  return adapter;
}

/** Writes an adapter as PEFT does. Each file is replaced atomically, so readers never see part of a file. */
export function writeAdapterFolder(folder: string, adapter: Omit<Adapter, 'isUniform'>, dropout: number): void {
  makeFolder(folder);
  const config = peftConfig(adapter.lora, dropout, adapter.baseModel);
  writeFileAtomically(join(folder, adapterConfigFile), `${JSON.stringify(config, null, 2)}\n`);
  // PEFT writes this tag itself, and transformers' loaders require it.
  writeFileAtomically(join(folder, adapterTensorsFile), safetensorsBytes(adapter.parameters, { format: 'pt' }));
}
