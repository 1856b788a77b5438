import type { Component, TokenizerFile } from './tokenizerFile.js';

/**
 * Says the same as a tokenizer.json in words that @huggingface/tokenizers follows exactly. It splits at a `Split` pattern as the
 * reference does, but where the pattern is built in it uses JavaScript's own \d and \s (ASCII digits only, U+FEFF a space, U+0085
 * none), and Metaspace never splits. So built-in patterns are spelled out.
 */
export function withReferenceSplits(file: TokenizerFile): TokenizerFile {
  const steps = preTokenizers(file.pre_tokenizer).flatMap(spellOut);
  if (mergesStayInWords(file)) steps.push(splitAt(wordWithSpaces));
  return { ...file, pre_tokenizer: steps.length ? { type: 'Sequence', pretokenizers: steps } : null };
}

/** GPT-2's pattern, built into `ByteLevel` (https://github.com/openai/gpt-2/blob/master/src/encoder.py). */
export const gpt2Pattern = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** Each match becomes a piece, and so does what lies between two matches. */
export function splitAt(pattern: string): Component {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}

export const byteLevelOnly: Component = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };

/** Pieces of SentencePiece text: a word with the spaces before it. */
const wordWithSpaces = '▁*[^▁]+|▁+';

function preTokenizers(component: Component | null): Component[] {
  if (!component) return [];
  if (component.type !== 'Sequence') return [component];
  return ((component.pretokenizers as Component[] | undefined) ?? []).flatMap(preTokenizers);
}

function spellOut(component: Component): Component[] {
  switch (component.type) {
    case 'Digits':
      return [splitAt(component.individual_digits ? String.raw`\p{N}` : String.raw`\p{N}+`)];
    case 'ByteLevel':
      // A prefix space comes before the split, which then can't be taken apart.
      if (component.use_regex === false || component.add_prefix_space === true) return [component];
      return [splitAt(gpt2Pattern), byteLevelOnly];
    case 'Metaspace':
      return component.split === false ? [component] : [component, splitAt('▁[^▁]*')];
    default:
      return [component];
  }
}

/**
 * True where the merges of a SentencePiece vocabulary never join the end of a word with the space after it. Then words can be
 * merged one by one, and cached, instead of a whole text at once, with the same result.
 */
function mergesStayInWords({ model, normalizer, pre_tokenizer }: TokenizerFile): boolean {
  const usesMetaspace = JSON.stringify(normalizer ?? pre_tokenizer ?? '').includes('▁');
  if (!usesMetaspace) return false;
  return model.merges.every((merge) => {
    const [left, right] = typeof merge === 'string' ? merge.split(' ') : merge;
    return left!.endsWith('▁') || !right!.startsWith('▁');
  });
}
