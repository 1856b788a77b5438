import type { TokenizerParts } from './huggingFace.js';
import { checkTokenizerFile, type AddedToken, type TokenizerFile } from './tokenizerFile.js';

/** The content of the two files by which other programs read a tokenizer. */
interface TokenizerJson {
  readonly tokenizer: object;
  readonly tokenizerConfig: object;
}

/** The reference library requires every field, and tokens in the order of their ids. */
function addedTokens(file: TokenizerFile): AddedToken[] {
  const defaults = { single_word: false, lstrip: false, rstrip: false, normalized: true, special: false };
  return file.added_tokens.map((token) => ({ ...defaults, ...token })).sort((a, b) => a.id - b.id);
}

/** Any tokenizer, in the form that Hugging Face's libraries read. */
export function tokenizerJson({ file, tokenizer, specialTokens, chatTemplate }: TokenizerParts): TokenizerJson {
  const checked = checkTokenizerFile(tokenizer, file);
  const { bos, eos, pad, unknown } = specialTokens;
  const named = Object.entries({ bos_token: bos, eos_token: eos, pad_token: pad, unk_token: unknown });
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      ...(tokenizer as object),
      ...checked,
      added_tokens: addedTokens(checked),
    },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      ...Object.fromEntries(named.filter(([, token]) => token !== null)),
      ...(chatTemplate !== null && { chat_template: chatTemplate }),
    },
  };
}
