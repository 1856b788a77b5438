import type { TokenizerParts } from './huggingFace.js';

/** The content of the two files by which other programs read a tokenizer. */
interface TokenizerJson {
  readonly tokenizer: object;
  readonly tokenizerConfig: object;
}

/** Any tokenizer, in the form that Hugging Face's libraries read. */
export function tokenizerJson({ tokenizer, specialTokens, chatTemplate }: TokenizerParts): TokenizerJson {
  const { bos, eos, pad, unknown } = specialTokens;
  const named = Object.entries({ bos_token: bos, eos_token: eos, pad_token: pad, unk_token: unknown });
  return {
    tokenizer: { version: '1.0', truncation: null, padding: null, ...(tokenizer as object) },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      ...Object.fromEntries(named.filter(([, token]) => token !== null)),
      ...(chatTemplate !== null && { chat_template: chatTemplate }),
    },
  };
}
