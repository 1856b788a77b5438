import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';

/** The parts of a Hugging Face tokenizer.json that are read here; the rest is passed to the library unchanged. */
export interface TokenizerFile {
  readonly model: BpeModel | UnigramModel;
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer: Component | null;
  readonly pre_tokenizer: Component | null;
  readonly post_processor: Component | null;
  readonly decoder: Component | null;
}

export interface BpeModel {
  readonly type: 'BPE';
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges: readonly (string | readonly [string, string])[];
  readonly unk_token?: string | null;
  readonly fuse_unk?: boolean;
  readonly byte_fallback?: boolean;
  readonly ignore_merges?: boolean;
  readonly continuing_subword_prefix?: string | null;
  readonly end_of_word_suffix?: string | null;
}

export interface UnigramModel {
  readonly type: 'Unigram';
  /** Pieces with their logarithmic probabilities, by id. */
  readonly vocab: readonly (readonly [string, number])[];
  readonly unk_id: number;
  readonly byte_fallback?: boolean;
}

/** The score of pieces that no text becomes, such as control tokens. */
export const neverScore = -1e6;

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
  readonly normalized?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly single_word?: boolean;
}

/** A normalizer, pre-tokenizer, post-processor or decoder: a type and its settings. */
export interface Component {
  readonly type: string;
  readonly [setting: string]: unknown;
}

/** Far above any real vocabulary; a file with such an id would only waste memory. */
const highestId = 4_000_000;

/** Checks a whole tokenizer.json before any of it is used. Throws UserError naming `file`. */
export function checkTokenizerFile(value: unknown, file: string): TokenizerFile {
  if (!isObject(value)) throw corrupt(file, t`it is not a JSON object`);
  const { model } = value;
  if (!isObject(model)) throw corrupt(file, t`"model" is missing`);
  const { added_tokens = [] } = value;
  if (!Array.isArray(added_tokens)) throw corrupt(file, t`"added_tokens" is not a list`);
  added_tokens.forEach((token, index) => checkAddedToken(token, index, file));
  return {
    model: checkedModel(model, file),
    added_tokens: added_tokens as AddedToken[],
    normalizer: component(value, 'normalizer', file),
    pre_tokenizer: component(value, 'pre_tokenizer', file),
    post_processor: component(value, 'post_processor', file),
    decoder: component(value, 'decoder', file),
  };
}

function checkedModel(model: Record<string, unknown>, file: string): TokenizerFile['model'] {
  if (model.type === 'Unigram') return checkedUnigram(model, file);
  if (model.type !== undefined && model.type !== 'BPE') throw unsupportedModel(file, model.type);
  if (!isObject(model.vocab)) throw corrupt(file, t`"model.vocab" is missing`);
  if (!Array.isArray(model.merges)) throw corrupt(file, t`"model.merges" is missing`);
  checkVocabulary(model.vocab, file);
  checkMerges(model.vocab, model.merges, file);
  return { ...model, type: 'BPE' } as unknown as BpeModel;
}

function checkedUnigram(model: Record<string, unknown>, file: string): UnigramModel {
  const { vocab, unk_id } = model;
  if (!Array.isArray(vocab) || vocab.length === 0 || vocab.length > highestId) throw corrupt(file, t`"model.vocab" is missing`);
  vocab.forEach((entry: unknown, id) => {
    const isPiece = Array.isArray(entry) && typeof entry[0] === 'string' && Number.isFinite(entry[1]);
    if (!isPiece) throw corrupt(file, t`token ${id} is not a text with a score`);
  });
  if (!isId(unk_id) || unk_id >= vocab.length) throw corrupt(file, t`it has no token for what it does not know`);
  return model as unknown as UnigramModel;
}

/** The ids that the model itself has. */
export function idsOf({ model }: TokenizerFile): Iterable<number> {
  return model.type === 'BPE' ? Object.values(model.vocab) : model.vocab.keys();
}

export function corrupt(file: string, problem: string): UserError {
  return new UserError('file-corrupt', t`${file} is not a usable tokenizer: ${problem}. Get the file again from its source.`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unsupportedModel(file: string, type: unknown): UserError {
  return new UserError('file-unsupported', t`${file} holds a ${JSON.stringify(type)} tokenizer. BPE and Unigram are read.`);
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= highestId;
}

function checkVocabulary(vocab: Record<string, unknown>, file: string): void {
  const seen = new Set<number>();
  for (const [token, id] of Object.entries(vocab)) {
    if (!isId(id)) throw corrupt(file, t`the token ${show(token)} has the id ${show(id)}`);
    if (seen.has(id)) throw corrupt(file, t`two tokens have the id ${id}`);
    seen.add(id);
  }
  if (seen.size === 0) throw corrupt(file, t`the vocabulary is empty`);
}

function checkMerges(vocab: Record<string, unknown>, merges: readonly unknown[], file: string): void {
  const pairs = typeof merges[0] === 'string' ? 'strings' : 'pairs';
  merges.forEach((merge, index) => {
    const parts = pairs === 'strings' && typeof merge === 'string' ? merge.split(' ') : merge;
    if (!Array.isArray(parts) || parts.length !== 2 || !parts.every((part) => typeof part === 'string' && part !== ''))
      throw corrupt(file, t`merge ${index} is not a pair of tokens`);
    const missing = [...parts, parts.join('')].find((token: string) => !Object.hasOwn(vocab, token));
    if (missing !== undefined) throw corrupt(file, t`merge ${index} needs ${show(missing)}, which the vocabulary lacks`);
  });
}

function checkAddedToken(token: unknown, index: number, file: string): void {
  if (!isObject(token) || !isId(token.id) || typeof token.content !== 'string' || token.content === '')
    throw corrupt(file, t`added token ${index} has no id or no text`);
}

function component(file: Record<string, unknown>, name: string, path: string): Component | null {
  const value = file[name] ?? null;
  if (value !== null && !(isObject(value) && typeof value.type === 'string')) throw corrupt(path, t`"${name}" has no type`);
  return value as Component | null;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
