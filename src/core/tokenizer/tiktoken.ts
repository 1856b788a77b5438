/**
 * @file LLaMA 3's tokenizer.model: a list of tokens in base64 with their ranks, as tiktoken reads it, converted to the
 * tokenizer.json that Hugging Face makes of it (TikTokenConverter in transformers' convert_slow_tokenizer.py).
 */
import { t } from '../../l10n/text.js';
import { base64Bytes } from './base64.js';
import { byteLevelText } from './tokenBytes.js';
import type { TokenizerParts } from './huggingFace.js';
import { llama3Split } from './ggufPreTokenizers.js';
import { byteLevelOnly } from './referenceSplits.js';
import { sentencePieceMerges } from './sentencePieceMerges.js';
import { surrounded, type Surround } from './pieces.js';
import { corrupt, type AddedToken } from './tokenizerFile.js';

/** LLaMA 3.1 gave names to some of the special tokens that LLaMA 3 had reserved; the ranks are the same. */
export type Llama3Version = '3' | '3.1';

const specialCount = 256;

/** Far above LLaMA 3's 128,000. */
const maxTokens = 1_000_000;

/** Whether a tokenizer.model is of this kind rather than SentencePiece's: its first line is a token and its rank. */
export function isTiktoken(bytes: Uint8Array): boolean {
  return /^[A-Za-z0-9+/]+={0,2} \d+\r?\n/.test(new TextDecoder().decode(bytes.subarray(0, 1024)));
}

/** Throws UserError('file-corrupt') naming the file. */
export function partsFromTiktoken(bytes: Uint8Array, version: Llama3Version, surround: Surround, file: string): TokenizerParts {
  const tokens = rankedTokens(new TextDecoder().decode(bytes), file);
  const special = specialTokens[version].map((content, index): AddedToken => {
    return { id: tokens.length + index, content, special: true, normalized: false };
  });
  const [bos, eos] = ['<|begin_of_text|>', '<|end_of_text|>'];
  const ends = special.filter(({ content }) => ['<|eot_id|>', '<|eom_id|>'].includes(content));
  const model = {
    type: 'BPE',
    vocab: Object.fromEntries(tokens.map((token, rank) => [token, rank])),
    merges: sentencePieceMerges(
      tokens,
      tokens.map((_, rank) => -rank),
      () => true,
      file,
    ),
    ignore_merges: true,
  };
  return {
    file,
    tokenizer: {
      model,
      normalizer: null,
      pre_tokenizer: { type: 'Sequence', pretokenizers: [llama3Split, byteLevelOnly] },
      post_processor: surrounded(
        surround.bos ? bos : null,
        surround.eos ? eos : null,
        (token) => special.find(({ content }) => content === token)!.id,
      ),
      decoder: byteLevelOnly,
      added_tokens: special,
    },
    specialTokens: { bos, eos, pad: null, unknown: null, stopIds: ends.map(({ id }) => id) },
    chatTemplate: null,
  };
}

/** The tokens by rank, spelled in the alphabet of byte-level vocabularies. */
function rankedTokens(text: string, file: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length > maxTokens) throw corrupt(file, t`it has ${lines.length} tokens`);
  return lines.map((line, rank) => {
    const [encoded, stated] = line.trim().split(' ');
    const bytes = base64Bytes(encoded!);
    if (!bytes?.length || stated !== String(rank)) throw corrupt(file, t`line ${rank + 1} is not a token with the rank ${rank}`);
    return byteLevelText(bytes);
  });
}

/** transformers' convert_llama_weights_to_hf.py, DEFAULT_LLAMA_SPECIAL_TOKENS. */
const specialTokens: Readonly<Record<Llama3Version, readonly string[]>> = {
  '3': withReserved([
    '<|begin_of_text|>',
    '<|end_of_text|>',
    null,
    null,
    null,
    null,
    '<|start_header_id|>',
    '<|end_header_id|>',
    null,
    '<|eot_id|>',
  ]),
  '3.1': withReserved([
    '<|begin_of_text|>',
    '<|end_of_text|>',
    null,
    null,
    '<|finetune_right_pad_id|>',
    null,
    '<|start_header_id|>',
    '<|end_header_id|>',
    '<|eom_id|>',
    '<|eot_id|>',
    '<|python_tag|>',
  ]),
};

/** Places without a name are numbered. */
function withReserved(names: readonly (string | null)[]): string[] {
  let reserved = 0;
  return Array.from({ length: specialCount }, (_, index) => names[index] ?? `<|reserved_special_token_${reserved++}|>`);
}
