import { readFileSync } from 'node:fs';
import { tokenizerFromFolder } from '../../../src/core/tokenizer/folder.js';
import type { Tokenizer } from '../../../src/core/tokenizer/tokenizer.js';

interface TokenizerJson {
  readonly model: { readonly vocab: Readonly<Record<string, number>> };
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
}

export interface VocabularyUnderTest {
  readonly tokenizer: Tokenizer;
  /** The tokens as the vocabulary spells them. */
  spell(ids: readonly number[]): string;
}

/** The tokens that begin and end a text. */
export const [bos, eos] = ['<s>', '</s>'];

/**
 * A byte-level or SentencePiece vocabulary with a few hundred tokens plus `tokens`, which are added as in a model made for code.
 */
export function vocabularyWith(
  kind: 'llama3' | 'sentencepiece',
  tokens: readonly string[],
  { special = true } = {},
): VocabularyUnderTest {
  const url = new URL(`../../golden/tokenizers/${kind}.json`, import.meta.url);
  const { tokenizer: base } = JSON.parse(readFileSync(url, 'utf8')) as { tokenizer: TokenizerJson };
  const first = 1 + Math.max(...Object.values(base.model.vocab));
  const known = new Set(Object.keys(base.model.vocab));
  const added = tokens.filter((token) => !known.has(token)).map((content, index) => ({ id: first + index, content, special }));
  const tokenizer = tokenizerFromFolder({
    file: 'tokenizer.json',
    tokenizer: JSON.stringify({ ...base, added_tokens: [...base.added_tokens, ...added] }),
    tokenizerConfig: JSON.stringify({ bos_token: bos, eos_token: eos }),
    specialTokensMap: null,
    generationConfig: null,
    config: null,
    chatTemplate: null,
  });
  const spelling = new Map([
    ...Object.entries(base.model.vocab).map(([token, id]) => [id, token] as const),
    ...[...base.added_tokens, ...added].map(({ id, content }) => [id, content] as const),
  ]);
  return { tokenizer, spell: (ids) => ids.map((id) => spelling.get(id)).join('') };
}
