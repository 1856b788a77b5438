/** @file Opens a model: a Hugging Face folder, one of Meta's, a GGUF file, an Ollama manifest that names one, or a folder. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import type { GgufValue } from '../core/formats/gguf.js';
import type { WeightStore } from '../core/models/weights.js';
import type { Llama3Version } from '../core/tokenizer/tiktoken.js';
import { t } from '../l10n/text.js';
import { beginsAsGguf, openGgufWeights } from './ggufWeights.js';
import { holdsWeights, isWeightFile, openHuggingFaceWeights } from './huggingFaceWeights.js';
import { isMetaShard, openMetaWeights, paramsFile } from './metaWeights.js';
import { reading } from './reading.js';
import { ggufOfManifest } from './stores/ollamaStore.js';

/** Where a model's tokenizer comes from. */
export type TokenizerSource =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'meta'; readonly folder: string; readonly llama3: Llama3Version }
  | { readonly kind: 'gguf'; readonly file: string; readonly metadata: ReadonlyMap<string, GgufValue> };

export interface OpenModel {
  /** Absolute path of the folder or file. */
  readonly path: string;
  readonly weights: WeightStore;
  readonly tokenizerSource: TokenizerSource;
}

/** Throws UserError naming the file that is missing, damaged or of an unsupported kind. */
export function openModel(path: string): OpenModel {
  const absolute = resolve(path);
  const status = reading(absolute, () => statSync(absolute, { throwIfNoEntry: false }));
  if (!status) throw new UserError('file-not-found', t`There is no model at ${absolute}.`);
  return status.isDirectory() ? openFolder(absolute) : openModelFile(absolute);
}

function openFolder(folder: string): OpenModel {
  const files = reading(folder, () => readdirSync(folder));
  const ggufFiles = files.filter((name) => name.endsWith('.gguf'));
  const isMeta = files.includes(paramsFile) && files.some(isMetaShard);
  const isHuggingFace = files.includes('config.json') && (holdsWeights(folder) || (ggufFiles.length === 0 && !isMeta));
  if (isHuggingFace) return openHuggingFaceFolder(folder);
  if (isMeta) return openMetaFolder(folder);
  if (ggufFiles.length === 1) return openGguf(join(folder, ggufFiles[0]!));
  throw new UserError('file-not-found', t`${folder} is not a model folder: ${whyNot(files, ggufFiles.length)}.`);
}

function whyNot(files: readonly string[], ggufCount: number): string {
  if (files.includes('adapter_config.json')) return t`it contains an adapter; name the model that the adapter belongs to`;
  return ggufCount === 0
    ? t`it has neither config.json nor a .gguf file, nor params.json with consolidated.00.pth`
    : t`it has ${ggufCount} .gguf files; name one of them`;
}

function openModelFile(path: string): OpenModel {
  const gguf = ggufAt(path);
  if (gguf !== undefined) return { ...openGguf(gguf), path };
  const [folder, name] = [dirname(path), basename(path)];
  if (isWeightFile(name) && existsSync(join(folder, 'config.json'))) return openHuggingFaceFolder(folder);
  if (isMetaShard(name)) return openMetaFolder(folder);
  throw new UserError(
    'file-unsupported',
    t`${path} is not a model: expected a Hugging Face folder, Meta's original files or a .gguf file.`,
  );
}

/** The GGUF file that a path is, whatever its name, or that it names; undefined for other files. */
export function ggufAt(path: string): string | undefined {
  return path.endsWith('.gguf') || beginsAsGguf(path) ? path : ggufOfManifest(path);
}

function openHuggingFaceFolder(folder: string): OpenModel {
  const weights = openHuggingFaceWeights(folder);
  return { path: folder, weights, tokenizerSource: { kind: 'folder', folder } };
}

function openMetaFolder(folder: string): OpenModel {
  const weights = openMetaWeights(folder);
  const isScaled = weights.config.attentionKinds.some(({ rope }) => rope?.scaling.type === 'llama3');
  const tokenizerSource = { kind: 'meta', folder, llama3: isScaled ? '3.1' : '3' } as const;
  return { path: folder, weights, tokenizerSource };
}

function openGguf(path: string): OpenModel {
  const { weights, metadata } = openGgufWeights(path);
  return { path, weights, tokenizerSource: { kind: 'gguf', file: path, metadata } };
}
