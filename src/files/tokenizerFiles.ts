import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
  const file = join(folder, 'tokenizer.json');
  const modelFile = join(folder, modelFileName);
  const tokenizer = readIfThere(file);
  if (tokenizer === null && !exists(modelFile)) {
    const advice = t`Get it from where the model came from, or use the model as GGUF.`;
    throw new UserError('file-not-found', t`${file} is missing: without it, text cannot be turned into tokens. ${advice}`);
  }
  return partsFromFolder({
    file: tokenizer === null ? modelFile : file,
    tokenizer: tokenizer ?? readSmallFile(modelFile, largestFile),
    tokenizerConfig: readIfThere(join(folder, 'tokenizer_config.json')),
    specialTokensMap: readIfThere(join(folder, 'special_tokens_map.json')),
    generationConfig: readIfThere(join(folder, 'generation_config.json')),
    config: readIfThere(join(folder, 'config.json')),
    chatTemplate: readIfThere(join(folder, 'chat_template.jinja')),
  });
}

/** Meta keeps the tokenizer of several sizes of a model in the folder above theirs. */
function partsOfMetaFolder(folder: string, llama3: Llama3Version): TokenizerParts {
  const file = [folder, dirname(folder)].map((each) => join(each, modelFileName)).find(exists);
  if (file !== undefined) return partsFromModelFile(readSmallFile(file, largestFile), llama3, file);
  const advice = t`Get it from where the model came from.`;
  const message = t`${join(folder, modelFileName)} is missing: without it, text cannot be turned into tokens. ${advice}`;
  throw new UserError('file-not-found', message);
}

function readIfThere(path: string): string | null {
  if (!exists(path)) return null;
  const text = reading(path, () => (statSync(path).size <= largestFile ? readFileSync(path, 'utf8') : null));
  if (text !== null) return text;
  throw new UserError('file-unsupported', t`${path} is larger than ${largestFile / 2 ** 20} MB, too large for a tokenizer.`);
}
