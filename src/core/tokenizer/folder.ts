import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { parseForeignJson } from '../formats/json.js';
import { createTokenizer, type SpecialTokens, type TokenizerParts } from './huggingFace.js';
import type { Tokenizer } from './tokenizer.js';
import { isObject } from './tokenizerFile.js';

/** The tokenizer-related files of a Hugging Face model folder, as text; null if a file does not exist. */
export interface TokenizerFolder {
  /** Path of tokenizer.json, for messages. */
  readonly file: string;
  readonly tokenizer: string;
  readonly tokenizerConfig: string | null;
  readonly specialTokensMap: string | null;
  readonly generationConfig: string | null;
  /** The model's config.json. */
  readonly config: string | null;
  /** chat_template.jinja. */
  readonly chatTemplate: string | null;
}

/** Throws UserError('file-corrupt' or 'file-unsupported') naming the file. */
export function tokenizerFromFolder(folder: TokenizerFolder): Tokenizer {
  return createTokenizer(partsFromFolder(folder));
}

export function partsFromFolder(folder: TokenizerFolder): TokenizerParts {
  const sibling = (name: string) => folder.file.replace(/[^/\\]*$/, name);
  const json = (text: string | null, name: string) => (text === null ? {} : parseObject(text, sibling(name)));
  const settings = {
    ...json(folder.specialTokensMap, 'special_tokens_map.json'),
    ...json(folder.tokenizerConfig, 'tokenizer_config.json'),
  };
  const configs = [json(folder.config, 'config.json'), json(folder.generationConfig, 'generation_config.json')];
  return {
    file: folder.file,
    tokenizer: withConfiguredTokens(parseObject(folder.tokenizer, folder.file), settings),
    specialTokens: specialTokens(settings, configs),
    chatTemplate: folder.chatTemplate ?? defaultTemplate(settings.chat_template),
  };
}

type Json = Record<string, unknown>;

/** Enough for a vocabulary of a million tokens and the merges that produce them. */
const maxParts = 5_000_000;

function parseObject(text: string, file: string): Json {
  const refuse = (defect: string, cause?: unknown) => new UserError('file-corrupt', t`${file} ${defect}.`, { cause });
  const value = parseForeignJson(text, maxParts, refuse);
  if (isObject(value)) return value;
  throw new UserError('file-corrupt', t`${file} should hold a JSON object.`);
}

/** tokenizer_config.json may name added tokens that tokenizer.json lacks, either in its list or as bos_token and the like. */
function withConfiguredTokens(tokenizer: Json, settings: Json): Json {
  const { added_tokens: listed = [], model } = tokenizer;
  if (!Array.isArray(listed)) return tokenizer;
  const decoder = isObject(settings.added_tokens_decoder) ? settings.added_tokens_decoder : {};
  const vocab = isObject(model) && isObject(model.vocab) ? model.vocab : {};
  const named = [settings.bos_token, settings.eos_token, settings.pad_token, settings.unk_token]
    .map(tokenText)
    .filter((content) => content !== null && Object.hasOwn(vocab, content))
    .map((content) => ({ id: vocab[content!], content, special: true }));
  const configured = Object.entries(decoder).map(([id, token]) => ({ ...(token as object), id: Number(id) }));
  const byId = new Map([...named, ...configured, ...(listed as { id?: unknown }[])].map((token) => [token?.id, token]));
  return { ...tokenizer, added_tokens: [...byId.values()] };
}

function specialTokens(settings: Json, configs: readonly Json[]): SpecialTokens {
  return {
    bos: tokenText(settings.bos_token),
    eos: tokenText(settings.eos_token),
    pad: tokenText(settings.pad_token),
    unknown: tokenText(settings.unk_token),
    stopIds: configs.flatMap(({ eos_token_id: id }) => (Array.isArray(id) ? id : [id])).filter(isId),
  };
}

/** A token is written either as its text or as an object that contains the text. */
function tokenText(value: unknown): string | null {
  const text = isObject(value) ? value.content : value;
  return typeof text === 'string' ? text : null;
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

/** The value is one template, or several with names. */
function defaultTemplate(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return null;
  const entry = value.find((each) => isObject(each) && each.name === 'default') as Json | undefined;
  return typeof entry?.template === 'string' ? entry.template : null;
}
