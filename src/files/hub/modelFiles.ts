/** @file Which files of a repository make up a model. */
import { UserError } from '../../core/errors.js';
import { t } from '../../l10n/text.js';
import type { HubFile, HubListing } from './repository.js';

/** Chooses among several models of a repository. */
export interface ModelSelection {
  /** The name of a file with weights, or a pattern with * for any characters. */
  readonly file?: string | undefined;
  /** Q4_K_M, Q8_0, F16 …: the GGUF that is so named. */
  readonly quantization?: string | undefined;
}

/** Beside the weights, in the root of the repository; whatever of it there is. */
const companions = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'tokenizer.model',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
  'chat_template.json',
]);

/**
 * The same weights may be there in several forms; the first of these is taken. Other names, such as Mistral's consolidated
 * files, repeat them.
 */
const weightForms: readonly RegExp[] = [
  /^model\.safetensors$/,
  /^model(-\d+-of-\d+\.safetensors|\.safetensors\.index\.json)$/,
  /^pytorch_model\.bin$/,
  /^pytorch_model(-\d+-of-\d+\.bin|\.bin\.index\.json)$/,
];

/** The files to download: weights in one form and what belongs to them, or one GGUF. Throws UserError if there are none. */
export function filesOfModel({ repository, files }: HubListing, selection: ModelSelection): readonly HubFile[] {
  const weights = selection.file === undefined ? usualWeights(files, selection) : namedWeights(files, selection.file);
  if (weights.length === 0) throw noSuchModel(repository.name, files, selection);
  if (weights.every(({ path }) => isGguf(path))) return weights;
  return [...files.filter(({ path }) => companions.has(path)), ...weights];
}

export function isGguf(path: string): boolean {
  return /\.gguf$/i.test(path);
}

function usualWeights(files: readonly HubFile[], { quantization }: ModelSelection): readonly HubFile[] {
  const form = quantization === undefined && weightForms.find((each) => files.some(({ path }) => each.test(path)));
  if (form) return files.filter(({ path }) => form.test(path));
  const models = files.filter(({ path }) => isWholeGguf(path));
  const wanted = quantization === undefined ? usualQuantizations : [quantization];
  const found = wanted.map((each) => models.find(({ path }) => isQuantizedAs(path, each))).find((each) => each !== undefined);
  const only = quantization === undefined && models.length === 1 ? models[0] : undefined;
  return [found ?? only].filter((each) => each !== undefined);
}

/** From the usual compromise between size and quality to the largest. */
const usualQuantizations = ['Q4_K_M', 'Q4_0', 'Q5_K_M', 'Q6_K', 'Q8_0', 'F16', 'BF16', 'F32'];

function namedWeights(files: readonly HubFile[], pattern: string): readonly HubFile[] {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  const named = new RegExp(`^${parts.join('.*')}$`, 'i');
  return files.filter(({ path }) => named.test(path) && !companions.has(path));
}

/** Neither a part of a split file, nor an image encoder or statistics for quantization, which come as GGUF, too. */
function isWholeGguf(path: string): boolean {
  return isGguf(path) && !/-\d+-of-\d+\.gguf$|mmproj|imatrix/i.test(path);
}

function isQuantizedAs(path: string, quantization: string): boolean {
  const name = path.replace(isGguf(path) ? /\.gguf$/i : '', '').toUpperCase();
  return new RegExp(`(^|[-._/])${quantization.toUpperCase().replace(/\W/g, '')}$`).test(name);
}

function noSuchModel(name: string, files: readonly HubFile[], { file, quantization }: ModelSelection): UserError {
  const weights = files.map(({ path }) => path).filter((path) => /\.(gguf|safetensors|bin)$/i.test(path));
  const wanted = file ?? quantization;
  if (weights.length === 0)
    return new UserError('file-not-found', t`${name} holds no model: neither safetensors, .bin nor GGUF.`);
  const shown = [...weights.slice(0, 20), ...(weights.length > 20 ? ['…'] : [])].join(', ');
  return new UserError(
    'file-not-found',
    wanted === undefined
      ? t`${name} holds several models; name one of its files: ${shown}.`
      : t`${name} holds no model ${wanted}. Its files: ${shown}.`,
  );
}
