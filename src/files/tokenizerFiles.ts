import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../core/errors.js';
import { partsFromFolder } from '../core/tokenizer/folder.js';
import { partsFromGguf } from '../core/tokenizer/gguf.js';
import { createTokenizer, type TokenizerParts } from '../core/tokenizer/huggingFace.js';
import { partsFromModelFile } from '../core/tokenizer/modelFile.js';
import type { Llama3Version } from '../core/tokenizer/tiktoken.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { t } from '../l10n/text.js';
import { readSmallFile } from './fileSource.js';
import type { TokenizerSource } from './openModel.js';
import { exists, reading } from './reading.js';

/** LLaMA 3's tokenizer.json is 9 MB; the largest known vocabularies take 35 MB. */
const largestFile = 128 * 2 ** 20;
const modelFileName = 'tokenizer.model';

/** Reads the tokenizer that belongs to a model. */
export function readTokenizer(source: TokenizerSource): Tokenizer {
  return createTokenizer(readTokenizerParts(source));
}

/** Reads the tokenizer of a Hugging Face model folder. Throws UserError naming the file that is missing or broken. */
export function readTokenizerFolder(folder: string): Tokenizer {
  return createTokenizer(partsOfFolder(folder));
}

/** What defines a model's tokenizer, in the form of a Hugging Face folder; toFolder.ts writes its files. */
export function readTokenizerParts(source: TokenizerSource): TokenizerParts {
  switch (source.kind) {
    case 'gguf':
      return partsFromGguf(source.metadata, source.file);
    case 'meta':
      return partsOfMetaFolder(source.folder, source.llama3);
    case 'folder':
      return partsOfFolder(source.folder);
  }
}

function partsOfFolder(folder: string): TokenizerParts {
  const file = findTokenizer('huggingface', folder);
  return partsFromFolder({
    file,
    tokenizer: basename(file) === modelFileName ? readSmallFile(file, largestFile) : readText(file),
    tokenizerConfig: readIfThere(join(folder, 'tokenizer_config.json')),
    specialTokensMap: readIfThere(join(folder, 'special_tokens_map.json')),
    generationConfig: readIfThere(join(folder, 'generation_config.json')),
    config: readIfThere(join(folder, 'config.json')),
    chatTemplate: readIfThere(join(folder, 'chat_template.jinja')),
  });
}

function partsOfMetaFolder(folder: string, llama3: Llama3Version): TokenizerParts {
  const file = findTokenizer('meta', folder);
  return partsFromModelFile(readSmallFile(file, largestFile), llama3, file);
}

/**
 * The file of a model folder, Hugging Face's or Meta's, that says how text becomes tokens. Meta keeps that of several sizes of a
 * model in the folder above theirs. Throws UserError if there is none.
 */
export function findTokenizer(kind: 'huggingface' | 'meta', folder: string): string {
  const places =
    kind === 'meta'
      ? [folder, dirname(folder)].map((each) => join(each, modelFileName))
      : ['tokenizer.json', modelFileName].map((name) => join(folder, name));
  const file = places.find(exists);
  if (file !== undefined) return file;
  const advice =
    kind === 'meta'
      ? t`Get it from where the model came from.`
      : t`Get it from where the model came from, or use the model as GGUF.`;
  const message = t`${places[0]!} is missing: without it, text cannot be turned into tokens. ${advice}`;
  throw new UserError('file-not-found', message);
}

function readIfThere(path: string): string | null {
  return exists(path) ? readText(path) : null;
}

function readText(path: string): string {
  const text = reading(path, () => (statSync(path).size <= largestFile ? readFileSync(path, 'utf8') : null));
  if (text !== null) return text;
  throw new UserError('file-unsupported', t`${path} is larger than ${largestFile / 2 ** 20} MB, too large for a tokenizer.`);
}
