import { UserError } from '../errors.js';
import { createTokenizer } from './huggingFace.js';
import { byteLevelOnly, gpt2Pattern, splitAt } from './referenceSplits.js';
import { sentencePieceMerges } from './sentencePieceMerges.js';
import type { Tokenizer } from './tokenizer.js';
import { corrupt, type AddedToken, type Component } from './tokenizerFile.js';

type MetadataValue = string | number | bigint | boolean | readonly MetadataValue[];

/**
 * The tokenizer that a GGUF file carries (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#tokenizer), by way of the
 * tokenizer.json that the same vocabulary has on Hugging Face. Throws UserError naming `file`.
 */
export function tokenizerFromGguf(metadata: ReadonlyMap<string, MetadataValue>, file: string): Tokenizer {
  const fields = new TokenizerFields(metadata, file);
  const tokens = fields.strings('tokens');
  const types = fields.numbers('token_type') ?? [];
  const idAt = (name: string) => fields.id(name, tokens.length);
  const text = (name: string) => tokens[idAt(name) ?? -1] ?? null;
  return createTokenizer({
    file,
    tokenizer: {
      ...layout(fields, tokens, types, text('bos_token_id'), text('eos_token_id')),
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
  });
}

/** tokenizer.ggml.token_type */
const tokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** Control tokens that end a turn or a text in every model that has them; many files name only one of them. */
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
  const byName = tokens.flatMap((token, id) =>
    types[id] === tokenType.control && endTokens.includes(token) ? [id] : [],
  );
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

function layout(
  fields: TokenizerFields,
  tokens: readonly string[],
  types: readonly number[],
  bos: string | null,
  eos: string | null,
): Layout {
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const around = (defaults: { bos: boolean }) =>
    surround((fields.flag('add_bos_token') ?? defaults.bos) ? bos : null, fields.flag('add_eos_token') ? eos : null);
  const kind = fields.string('model');
  switch (kind) {
    case 'gpt2': {
      const { steps, ignoreMerges, normalizer, addBos } = preTokenizer(fields);
      return {
        model: { type: 'BPE', vocab, merges: fields.strings('merges'), ignore_merges: ignoreMerges },
        normalizer,
        pre_tokenizer: { type: 'Sequence', pretokenizers: [...steps, byteLevelOnly] },
        post_processor: around({ bos: addBos }),
        decoder: { type: 'ByteLevel' },
      };
    }
    case 'llama': {
      const addSpace = fields.flag('add_space_prefix') ?? true;
      const scores = fields.numbers('scores');
      if (scores?.length !== tokens.length) throw corrupt(fields.file, 'there is not one score for each token');
      const isPiece = (id: number) =>
        types[id] === undefined || types[id] === tokenType.normal || types[id] === tokenType.userDefined;
      return {
        model: {
          type: 'BPE',
          vocab,
          merges: sentencePieceMerges(tokens, scores, isPiece, fields.file),
          byte_fallback: true,
          fuse_unk: true,
          unk_token: tokens[types.indexOf(tokenType.unknown)] ?? null,
        },
        normalizer: { type: 'Sequence', normalizers: [...(addSpace ? [prependSpace] : []), spaceToMeta] },
        pre_tokenizer: null,
        post_processor: around({ bos: true }),
        decoder: {
          type: 'Sequence',
          decoders: [metaToSpace, { type: 'ByteFallback' }, ...(addSpace ? [stripSpace] : [])],
        },
      };
    }
    default:
      throw new UserError(
        'file-unsupported',
        `${fields.file} carries a tokenizer of the kind "${kind}"; LLaMA models have "llama" or "gpt2", and only those are read.`,
      );
  }
}

const prependSpace: Component = { type: 'Prepend', prepend: '▁' };
const spaceToMeta: Component = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const metaToSpace: Component = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
const stripSpace: Component = { type: 'Strip', content: ' ', start: 1, stop: 0 };

function surround(before: string | null, after: string | null): Component | null {
  const special = (id: string | null) => (id === null ? [] : [{ SpecialToken: { id, type_id: 0 } }]);
  if (before === null && after === null) return null;
  return {
    type: 'TemplateProcessing',
    single: [...special(before), { Sequence: { id: 'A', type_id: 0 } }, ...special(after)],
  };
}

interface PreTokenizer {
  readonly steps: readonly Component[];
  readonly ignoreMerges: boolean;
  readonly normalizer: Component | null;
  /** Whether BOS comes first where the file does not say. */
  readonly addBos: boolean;
}

const plain = { ignoreMerges: false, normalizer: null, addBos: false };
const gpt2: PreTokenizer = { ...plain, steps: [splitAt(gpt2Pattern)] };
const singleDigitsThenGpt2: PreTokenizer = { ...plain, steps: [splitAt(String.raw`\p{N}`), splitAt(gpt2Pattern)] };

/** The pattern of LLaMA 3; Qwen 2 takes digits one by one. */
const llama3Pattern = (digits: string) =>
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const llama3: PreTokenizer = {
  steps: [splitAt(llama3Pattern(String.raw`\p{N}{1,3}`))],
  ignoreMerges: true,
  normalizer: null,
  addBos: true,
};
const qwen2: PreTokenizer = {
  ...plain,
  steps: [splitAt(llama3Pattern(String.raw`\p{N}`))],
  normalizer: { type: 'NFC' },
};
const deepseekCoder: PreTokenizer = {
  ...plain,
  addBos: true,
  steps: [String.raw`[\r\n]`, String.raw`\s?\p{L}+`, String.raw`\s?\p{P}+`, '[一-龥ࠀ-一가-퟿]+', String.raw`\p{N}`].map(
    splitAt,
  ),
};

/** tokenizer.ggml.pre: names that llama.cpp gives to the pre-tokenizers of the models it knows. */
const preTokenizersByName: Readonly<Record<string, PreTokenizer>> = {
  default: gpt2,
  'gpt-2': gpt2,
  smollm: singleDigitsThenGpt2,
  starcoder: singleDigitsThenGpt2,
  refact: singleDigitsThenGpt2,
  'command-r': singleDigitsThenGpt2,
  'llama-bpe': llama3,
  llama3,
  'llama-v3': llama3,
  'smaug-bpe': { ...llama3, ignoreMerges: false },
  qwen2,
  'deepseek-r1-qwen': qwen2,
  'deepseek-coder': deepseekCoder,
};

function preTokenizer(fields: TokenizerFields): PreTokenizer {
  const name = fields.optionalString('pre') ?? 'default';
  if (Object.hasOwn(preTokenizersByName, name)) return preTokenizersByName[name]!;
  throw new UserError(
    'file-unsupported',
    `${fields.file} splits text into words by the rules "${name}", which are not known here. ` +
      'Use the same model as a Hugging Face folder, with its tokenizer.json.',
  );
}

/** The tokenizer.ggml.* entries, checked as they are read. */
class TokenizerFields {
  constructor(
    private readonly metadata: ReadonlyMap<string, MetadataValue>,
    readonly file: string,
  ) {}

  strings(name: string): readonly string[] {
    const value = this.get(name);
    if (Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'string'))
      return value as string[];
    throw corrupt(this.file, `tokenizer.ggml.${name} is missing or no list of texts`);
  }

  numbers(name: string): readonly number[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'number')) return value as number[];
    throw corrupt(this.file, `tokenizer.ggml.${name} is no list of numbers`);
  }

  string(name: string): string {
    const value = this.optionalString(name);
    if (value === undefined) throw corrupt(this.file, `tokenizer.ggml.${name} is missing`);
    return value;
  }

  optionalString(name: string): string | undefined {
    const value = this.get(name);
    if (value === undefined || typeof value === 'string') return value;
    throw corrupt(this.file, `tokenizer.ggml.${name} is no text`);
  }

  flag(name: string): boolean | undefined {
    const value = this.get(name);
    return typeof value === 'boolean' ? value : undefined;
  }

  /** null where the file names no such token. */
  id(name: string, count: number): number | null {
    const value = this.get(name);
    if (value === undefined) return null;
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < count) return value as number;
    // 2³²−1 is how some writers say "none".
    if (value === 0xffffffff) return null;
    throw corrupt(this.file, `tokenizer.ggml.${name} is ${String(value)}, outside its vocabulary of ${count}`);
  }

  template(): string | null {
    const value = this.metadata.get('tokenizer.chat_template');
    return typeof value === 'string' ? value : null;
  }

  private get(name: string): MetadataValue | undefined {
    return this.metadata.get(`tokenizer.ggml.${name}`);
  }
}
