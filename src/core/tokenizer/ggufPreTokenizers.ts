import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { gpt2Pattern, splitAt } from './referenceSplits.js';
import type { Component } from './tokenizerFile.js';

/** How text is split into words for a byte-level vocabulary. */
interface PreTokenizer {
  readonly steps: readonly Component[];
  readonly ignoreMerges: boolean;
  readonly normalizer: Component | null;
  /** Whether BOS comes first if the file does not say. */
  readonly addBos: boolean;
}

const plain = { ignoreMerges: false, normalizer: null, addBos: false };
const gpt2: PreTokenizer = { ...plain, steps: [splitAt(gpt2Pattern)] };
const singleDigitsThenGpt2: PreTokenizer = { ...plain, steps: [splitAt(String.raw`\p{N}`), splitAt(gpt2Pattern)] };

/** The pattern of LLaMA 3. Qwen 2 differs only in taking digits one by one. */
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
  steps: [String.raw`[\r\n]`, String.raw`\s?\p{L}+`, String.raw`\s?\p{P}+`, '[一-龥ࠀ-一가-퟿]+', String.raw`\p{N}`].map(splitAt),
};

/** Pre-tokenizers by their names in llama.cpp, as found in tokenizer.ggml.pre. */
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

/** Throws UserError('file-unsupported') naming `file` if the name is unknown. */
export function ggufPreTokenizer(name: string, file: string): PreTokenizer {
  if (Object.hasOwn(preTokenizersByName, name)) return preTokenizersByName[name]!;
  throw new UserError(
    'file-unsupported',
    t`${file} splits text into words by the rules "${name}", which are not known here. Use the same model as a Hugging Face folder, with its tokenizer.json.`,
  );
}

/** One name for each way of splitting, the most frequent ones first. */
export const preTokenizerNames = ['qwen2', 'llama-bpe', 'smollm', 'gpt-2', 'deepseek-coder', 'smaug-bpe'] as const;
