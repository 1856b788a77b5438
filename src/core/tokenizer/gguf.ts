import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { GgufValue } from '../formats/gguf.js';
import { createTokenizer, type TokenizerParts } from './huggingFace.js';
import { ggufPreTokenizer } from './ggufPreTokenizers.js';
import { byteLevelOnly } from './referenceSplits.js';
import { sentencePieceMerges } from './sentencePieceMerges.js';
import type { Tokenizer } from './tokenizer.js';
import { corrupt, type AddedToken, type Component } from './tokenizerFile.js';

/**
 * The tokenizer in a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#tokenizer), converted to the
 * tokenizer.json that the same vocabulary has on Hugging Face. Throws UserError naming `file`.
 */
export function tokenizerFromGguf(metadata: ReadonlyMap<string, GgufValue>, file: string): Tokenizer {
  return createTokenizer(partsFromGguf(metadata, file));
}

/** Like tokenizerFromGguf, before it is made. */
export function partsFromGguf(metadata: ReadonlyMap<string, GgufValue>, file: string): TokenizerParts {
  const fields = new TokenizerFields(metadata, file);
  const tokens = fields.strings('tokens');
  const types = fields.numbers('token_type') ?? [];
  const idAt = (name: string) => fields.id(name, tokens.length);
  const text = (name: string) => tokens[idAt(name) ?? -1] ?? null;
  return {
    file,
    tokenizer: {
      ...layout(fields, tokens, types),
      added_tokens: addedTokens(tokens, types),
    },
    specialTokens: {
      bos: text('bos_token_id'),
      eos: text('eos_token_id'),
      pad: text('padding_token_id'),
      unknown: text('unknown_token_id'),
      stopIds: stopIds(tokens, types, [idAt('eot_token_id'), idAt('eom_token_id')]),
    },
    chatTemplate: fields.template(),
  };
}

/** Values of tokenizer.ggml.token_type. */
export const tokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** Control tokens that end a turn or a text in every model that has them; many files declare only one of them. */
const endTokens = [
  '<|endoftext|>',
  '<|end_of_text|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|im_end|>',
  '<|end|>',
  '</s>',
  '<EOT>',
  '▁<EOT>',
];

function stopIds(tokens: readonly string[], types: readonly number[], named: readonly (number | null)[]): number[] {
  const byName = tokens.flatMap((token, id) => (types[id] === tokenType.control && endTokens.includes(token) ? [id] : []));
  return [...named.filter((id) => id !== null), ...byName];
}

function addedTokens(tokens: readonly string[], types: readonly number[]): AddedToken[] {
  const added: readonly (number | undefined)[] = [tokenType.unknown, tokenType.control, tokenType.userDefined];
  return tokens.flatMap((content, id) =>
    added.includes(types[id]) ? [{ id, content, special: types[id] !== tokenType.userDefined, normalized: false }] : [],
  );
}

interface Layout {
  readonly model: object;
  readonly normalizer: Component | null;
  readonly pre_tokenizer: Component | null;
  readonly post_processor: Component | null;
  readonly decoder: Component;
}

function layout(fields: TokenizerFields, tokens: readonly string[], types: readonly number[]): Layout {
  const kind = fields.string('model');
  switch (kind) {
    case 'gpt2':
      return byteLevelLayout(fields, tokens);
    case 'llama':
      return sentencePieceLayout(fields, tokens, types);
    default:
      throw new UserError(
        'file-unsupported',
        t`${fields.file} carries a tokenizer of the kind "${kind}"; LLaMA models have "llama" or "gpt2", and only those are read.`,
      );
  }
}

function byteLevelLayout(fields: TokenizerFields, tokens: readonly string[]): Layout {
  const { steps, ignoreMerges, normalizer, addBos } = ggufPreTokenizer(fields.optionalString('pre') ?? 'default', fields.file);
  return {
    model: { type: 'BPE', vocab: idsOf(tokens), merges: fields.strings('merges'), ignore_merges: ignoreMerges },
    normalizer,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [...steps, byteLevelOnly] },
    post_processor: surround(fields, tokens, addBos),
    decoder: { type: 'ByteLevel' },
  };
}

function sentencePieceLayout(fields: TokenizerFields, tokens: readonly string[], types: readonly number[]): Layout {
  const addSpace = fields.flag('add_space_prefix') ?? true;
  const scores = fields.numbers('scores');
  if (scores?.length !== tokens.length) throw corrupt(fields.file, t`there is not one score for each token`);
  const isPiece = (id: number) =>
    types[id] === undefined || types[id] === tokenType.normal || types[id] === tokenType.userDefined;
  return {
    model: {
      type: 'BPE',
      vocab: idsOf(tokens),
      merges: sentencePieceMerges(tokens, scores, isPiece, fields.file),
      byte_fallback: true,
      fuse_unk: true,
      unk_token: tokens[types.indexOf(tokenType.unknown)] ?? null,
    },
    normalizer: { type: 'Sequence', normalizers: [...(addSpace ? [prependSpace] : []), spaceToMeta] },
    pre_tokenizer: null,
    post_processor: surround(fields, tokens, true),
    decoder: {
      type: 'Sequence',
      decoders: [metaToSpace, { type: 'ByteFallback' }, ...(addSpace ? [stripSpace] : [])],
    },
  };
}

function idsOf(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

const prependSpace: Component = { type: 'Prepend', prepend: '▁' };
const spaceToMeta: Component = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const metaToSpace: Component = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
const stripSpace: Component = { type: 'Strip', content: ' ', start: 1, stop: 0 };

/** Puts BOS and EOS around a text; `addBos` applies if the file does not say. */
function surround(fields: TokenizerFields, tokens: readonly string[], addBos: boolean): Component | null {
  const token = (wanted: boolean, name: string) => {
    const id = fields.id(name, tokens.length);
    return wanted && id !== null ? [{ SpecialToken: { id: tokens[id], type_id: 0 } }] : [];
  };
  const before = token(fields.flag('add_bos_token') ?? addBos, 'bos_token_id');
  const after = token(fields.flag('add_eos_token') ?? false, 'eos_token_id');
  if (before.length + after.length === 0) return null;
  return { type: 'TemplateProcessing', single: [...before, { Sequence: { id: 'A', type_id: 0 } }, ...after] };
}

/** The tokenizer.ggml.* entries, checked as they are read. */
class TokenizerFields {
  constructor(
    private readonly metadata: ReadonlyMap<string, GgufValue>,
    readonly file: string,
  ) {}

  strings(name: string): readonly string[] {
    const value = this.get(name);
    if (Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'string')) return value as string[];
    throw corrupt(this.file, t`tokenizer.ggml.${name} is missing or no list of texts`);
  }

  numbers(name: string): readonly number[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'number')) return value as number[];
    throw corrupt(this.file, t`tokenizer.ggml.${name} is no list of numbers`);
  }

  string(name: string): string {
    const value = this.optionalString(name);
    if (value === undefined) throw corrupt(this.file, t`tokenizer.ggml.${name} is missing`);
    return value;
  }

  optionalString(name: string): string | undefined {
    const value = this.get(name);
    if (value === undefined || typeof value === 'string') return value;
    throw corrupt(this.file, t`tokenizer.ggml.${name} is no text`);
  }

  flag(name: string): boolean | undefined {
    const value = this.get(name);
    return typeof value === 'boolean' ? value : undefined;
  }

  /** Null if the file names no such token. */
  id(name: string, count: number): number | null {
    const value = this.get(name);
    if (value === undefined) return null;
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < count) return value as number;
    // Some writers use 2³²−1 for "none".
    if (value === 0xffffffff) return null;
    throw corrupt(this.file, t`tokenizer.ggml.${name} is ${String(value)}, outside its vocabulary of ${count}`);
  }

  template(): string | null {
    const value = this.metadata.get('tokenizer.chat_template');
    return typeof value === 'string' ? value : null;
  }

  private get(name: string): GgufValue | undefined {
    return this.metadata.get(`tokenizer.ggml.${name}`);
  }
}
