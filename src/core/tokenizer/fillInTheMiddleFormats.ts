/**
 * @file How model families were trained to fill in the middle (https://arxiv.org/abs/2207.14255), according to their papers,
 * model cards and tokenizers.
 */

export interface FillInTheMiddleFormat {
  readonly name: string;
  /** What the model reads first. PSM is prefix, suffix, middle; SPM is suffix, prefix, middle. */
  readonly order: FillInTheMiddleOrder;
  readonly prefix: string;
  readonly suffix: string;
  /** Null means that the middle follows the prefix directly. */
  readonly middle: string | null;
  /** Ends the middle; null means that it ends as any text of the model does. */
  readonly end: string | null;
  /** Further tokens that end the middle because something else begins there, if the vocabulary has them. */
  readonly stops: readonly string[];
  /**
   * Tell the model the names of the repository and the file; null if the model has learned none, or their layout is undocumented.
   */
  readonly headers: FillInTheMiddleHeaders | null;
  /**
   * A token unique to vocabularies of this format, if another format has the same markers; null means that the markers suffice.
   */
  readonly sign: string | null;
}

export type FillInTheMiddleOrder = 'PSM' | 'SPM';

/** Texts with {} for the name or path; '' if there is none. Tokens in them are among the format's stops. */
export interface FillInTheMiddleHeaders {
  /** This and `file` come before all markers, if the name and the path are known. */
  readonly repository: string;
  readonly file: string;
  /** Starts the prefix. */
  readonly inPrefix: string;
}

/** A vocabulary's format is the first one whose tokens it has in full. */
export const fillInTheMiddleFormats: readonly FillInTheMiddleFormat[] = [
  // Qwen2.5-Coder, section 3.2 of https://arxiv.org/abs/2409.12186; the stops are the end tokens in its fill-in-the-middle
  // example (https://github.com/QwenLM/Qwen2.5-Coder). Qwen3-Coder is the same.
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
  // CodeGemma (https://ai.google.dev/gemma/docs/codegemma/prompt-structure), and others with Qwen's markers but not its headers.
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
  // DeepSeek-Coder (https://github.com/deepseek-ai/DeepSeek-Coder). The hole marks where the middle belongs.
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
  // Mellum (https://huggingface.co/JetBrains/Mellum-4b-base). StarCoder and Granite have the same markers, including <filename>,
  // but read them in the other order; only Mellum has role markers such as <assistant>.
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
  // StarCoder2, section 5.1 of https://arxiv.org/abs/2402.19173: only it has <file_sep> and <repo_name> besides these markers.
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
  // StarCoder (https://huggingface.co/bigcode/starcoder) and models with its tokenizer: Granite Code, Stable Code.
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
  // Codestral 22B (https://github.com/mistralai/mistral-common, encode_fim; the header is that of
  // https://github.com/continuedev/continue, core/autocomplete/templating/AutocompleteTemplate.ts). Later Mistral vocabularies
  // have these tokens too, but their open models have not learned them. Those vocabularies are byte-level, so they lack
  // SentencePiece's byte pieces, which serve as the sign.
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

/** Everything that a model of this format does not read as text. */
export function tokensOf(format: FillInTheMiddleFormat): readonly string[] {
  return [...markersOf(format), ...format.stops];
}
