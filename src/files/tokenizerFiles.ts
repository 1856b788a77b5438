import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { partsFromFolder } from '../core/tokenizer/folder.js';
import { partsFromGguf } from '../core/tokenizer/gguf.js';
import { createTokenizer, type TokenizerParts } from '../core/tokenizer/huggingFace.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { t } from '../l10n/text.js';
import type { TokenizerSource } from './openModel.js';
import { exists, reading } from './reading.js';

/** LLaMA 3's tokenizer.json is 9 MB; the largest known vocabularies take 35 MB. */
const largestFile = 128 * 2 ** 20;

/** Reads the tokenizer that belongs to a model. */
export function readTokenizer(source: TokenizerSource): Tokenizer {
  return createTokenizer(readTokenizerParts(source));
}

/** The same before it is made, to be written in another form. */
export function readTokenizerParts(source: TokenizerSource): TokenizerParts {
  return source.kind === 'gguf' ? partsFromGguf(source.metadata, source.file) : folderParts(source.folder);
}

/** Reads the tokenizer of a Hugging Face model folder. Throws UserError naming the file that is missing or broken. */
export function readTokenizerFolder(folder: string): Tokenizer {
  return createTokenizer(folderParts(folder));
}

function folderParts(folder: string): TokenizerParts {
  const file = join(folder, 'tokenizer.json');
  const tokenizer = readIfThere(file);
  if (tokenizer === null) {
    const advice = t`Get it from where the model came from, or use the model as GGUF.`;
    throw new UserError('file-not-found', t`${file} is missing: without it, text cannot be turned into tokens. ${advice}`);
  }
  return partsFromFolder({
    file,
    tokenizer,
    tokenizerConfig: readIfThere(join(folder, 'tokenizer_config.json')),
    specialTokensMap: readIfThere(join(folder, 'special_tokens_map.json')),
    generationConfig: readIfThere(join(folder, 'generation_config.json')),
    config: readIfThere(join(folder, 'config.json')),
    chatTemplate: readIfThere(join(folder, 'chat_template.jinja')),
  });
}

function readIfThere(path: string): string | null {
  if (!exists(path)) return null;
  const text = reading(path, () => (statSync(path).size <= largestFile ? readFileSync(path, 'utf8') : null));
  if (text !== null) return text;
  throw new UserError('file-unsupported', t`${path} is larger than ${largestFile / 2 ** 20} MB, too large for a tokenizer.`);
}
