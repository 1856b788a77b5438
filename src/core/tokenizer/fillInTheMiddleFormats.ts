/**
 * @file How model families were taught to fill in the middle (https://arxiv.org/abs/2207.14255), from their own papers, model cards
 * and tokenizers.
 */

export interface FillInTheMiddleFormat {
  readonly name: string;
  /** What the model reads first: prefix, suffix, middle, or suffix, prefix, middle. */
  readonly order: FillInTheMiddleOrder;
  readonly prefix: string;
  readonly suffix: string;
  /** null: the middle follows the prefix directly. */
  readonly middle: string | null;
  /** Ends the middle; null: what ends any text of the model. */
  readonly end: string | null;
  /** What begins something else than the middle: further tokens that end it, where the vocabulary has them. */
  readonly stops: readonly string[];
  /** Tell the model the names of the repository and the file; null where it has not learned any, or nobody has said how. */
  readonly headers: FillInTheMiddleHeaders | null;
  /** A token that only vocabularies of this format have, where another format has the same markers; null: the markers tell. */
  readonly sign: string | null;
}

export type FillInTheMiddleOrder = 'PSM' | 'SPM';

/** Texts with {} for the name or the path; '' where there is none. Tokens in them are among the format's stops. */
export interface FillInTheMiddleHeaders {
  /** These two stand before all markers, where the name and the path are known. */
  readonly repository: string;
  readonly file: string;
  /** Opens the prefix. */
  readonly inPrefix: string;
}

/** The first one that a vocabulary has all tokens of is its format. */
export const fillInTheMiddleFormats: readonly FillInTheMiddleFormat[] = [
  // Qwen2.5-Coder, section 3.2 of https://arxiv.org/abs/2409.12186; the stops are the end tokens of its example for filling in the
  // middle (https://github.com/QwenLM/Qwen2.5-Coder). Qwen3-Coder is the same.
  {
    name: 'qwen',
    order: 'PSM',
    prefix: '<|fim_prefix|>',
    suffix: '<|fim_suffix|>',
    middle: '<|fim_middle|>',
    end: null,
    stops: ['<|endoftext|>', '<|fim_pad|>', '<|file_sep|>', '<|repo_name|>', '<|im_start|>', '<|im_end|>'],
    headers: { repository: '<|repo_name|>{}\n', file: '<|file_sep|>{}\n', inPrefix: '' },
    sign: null,
  },
  // CodeGemma (https://ai.google.dev/gemma/docs/codegemma/prompt-structure), and others that have Qwen's markers and not its headers.
  {
    name: 'codegemma',
    order: 'PSM',
    prefix: '<|fim_prefix|>',
    suffix: '<|fim_suffix|>',
    middle: '<|fim_middle|>',
    end: null,
    stops: ['<|endoftext|>', '<|fim_pad|>', '<|file_separator|>', '<eos>', '<end_of_turn>'],
    headers: null,
    sign: null,
  },
  // DeepSeek-Coder (https://github.com/deepseek-ai/DeepSeek-Coder). The hole is where the middle belongs.
  {
    name: 'deepseek',
    order: 'PSM',
    prefix: '<｜fim▁begin｜>',
    suffix: '<｜fim▁hole｜>',
    middle: '<｜fim▁end｜>',
    end: null,
    stops: ['<｜end▁of▁sentence｜>', '<|EOT|>'],
    headers: null,
    sign: null,
  },
  // Code Llama (https://github.com/meta-llama/codellama, llama/generation.py).
  {
    name: 'codellama',
    order: 'PSM',
    prefix: '▁<PRE>',
    suffix: '▁<SUF>',
    middle: '▁<MID>',
    end: '▁<EOT>',
    stops: ['</s>'],
    headers: null,
    sign: null,
  },
  // Mellum (https://huggingface.co/JetBrains/Mellum-4b-base). StarCoder and Granite have the same markers, <filename> and all, and
  // read them in the other order; the marks of roles, such as <assistant>, are Mellum's alone.
  {
    name: 'mellum',
    order: 'SPM',
    prefix: '<fim_prefix>',
    suffix: '<fim_suffix>',
    middle: '<fim_middle>',
    end: null,
    stops: ['<|endoftext|>', '<fim_pad>', '<filename>', '<reponame>'],
    headers: { repository: '', file: '<filename>{}\n', inPrefix: '' },
    sign: '<assistant>',
  },
  // StarCoder2, section 5.1 of https://arxiv.org/abs/2402.19173: only it has <file_sep> and <repo_name> beside these markers.
  {
    name: 'starcoder2',
    order: 'PSM',
    prefix: '<fim_prefix>',
    suffix: '<fim_suffix>',
    middle: '<fim_middle>',
    end: null,
    stops: ['<|endoftext|>', '<fim_pad>', '<file_sep>', '<repo_name>'],
    headers: { repository: '<repo_name>{}', file: '<file_sep>', inPrefix: '{}\n' },
    sign: null,
  },
  // StarCoder (https://huggingface.co/bigcode/starcoder) and those with its tokenizer: Granite Code, Stable Code.
  {
    name: 'starcoder',
    order: 'PSM',
    prefix: '<fim_prefix>',
    suffix: '<fim_suffix>',
    middle: '<fim_middle>',
    end: null,
    stops: ['<|endoftext|>', '<fim_pad>', '<filename>', '<reponame>', '<file_sep>', '<gh_stars>'],
    headers: null,
    sign: null,
  },
  // SantaCoder (https://huggingface.co/bigcode/santacoder).
  {
    name: 'santacoder',
    order: 'PSM',
    prefix: '<fim-prefix>',
    suffix: '<fim-suffix>',
    middle: '<fim-middle>',
    end: null,
    stops: ['<|endoftext|>', '<fim-pad>'],
    headers: null,
    sign: null,
  },
  // Seed-Coder, section 2.2 of https://arxiv.org/abs/2506.03524.
  {
    name: 'seed-coder',
    order: 'SPM',
    prefix: '<[fim-prefix]>',
    suffix: '<[fim-suffix]>',
    middle: '<[fim-middle]>',
    end: null,
    stops: [],
    headers: null,
    sign: null,
  },
  // Codestral 22B (https://github.com/mistralai/mistral-common, encode_fim; the header is that of https://github.com/continuedev/continue,
  // core/autocomplete/templating/AutocompleteTemplate.ts). Later vocabularies of Mistral name these tokens too,
  // though their open models have not learned them: they are byte-level, and have no such piece for a byte as SentencePiece has.
  {
    name: 'codestral',
    order: 'SPM',
    prefix: '[PREFIX]',
    suffix: '[SUFFIX]',
    middle: null,
    end: null,
    stops: ['</s>', '[MIDDLE]'],
    headers: { repository: '', file: '', inPrefix: '+++++ {}\n' },
    sign: '<0x0A>',
  },
];

export const fillInTheMiddleNames: readonly string[] = fillInTheMiddleFormats.map(({ name }) => name);

export function markersOf({ prefix, suffix, middle, end }: FillInTheMiddleFormat): readonly string[] {
  return [prefix, suffix, middle, end].filter((marker) => marker !== null);
}

/** All that is no text to a model of this format. */
export function tokensOf(format: FillInTheMiddleFormat): readonly string[] {
  return [...markersOf(format), ...format.stops];
}
