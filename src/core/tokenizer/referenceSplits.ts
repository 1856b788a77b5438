import type { Component, TokenizerFile } from './tokenizerFile.js';

/**
 * Rewrites a tokenizer.json so that @huggingface/tokenizers follows it exactly. The library splits at a `Split` pattern as the
 * reference does, but its built-in patterns use JavaScript's own \d and \s (only ASCII digits; U+FEFF is a space, U+0085 is not),
 * and its Metaspace never splits. So built-in patterns are spelled out.
 */
export function withReferenceSplits(file: TokenizerFile): TokenizerFile {
  const steps = preTokenizers(file.pre_tokenizer).flatMap(spellOut);
  if (mergesStayInWords(file)) steps.push(splitAt(wordWithSpaces));
  return { ...file, pre_tokenizer: steps.length ? { type: 'Sequence', pretokenizers: steps } : null };
}

/** GPT-2's pattern, built into `ByteLevel` (https://github.com/openai/gpt-2/blob/master/src/encoder.py). */
export const gpt2Pattern = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** Each match becomes a piece, and so does the text between two matches. */
export function splitAt(pattern: string): Component {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}

/** Maps bytes to the alphabet and, as a decoder, back. */
export const byteLevelOnly: Component = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };

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
      // The prefix space is added before the split, so the two cannot be separated.
      if (component.use_regex === false || component.add_prefix_space === true) return [component];
      return [splitAt(gpt2Pattern), byteLevelOnly];
    case 'Metaspace':
      return component.split === false ? [component] : [component, splitAt('▁[^▁]*')];
    default:
      return [component];
  }
}

/**
 * True if the merges of a SentencePiece vocabulary never join the end of a word with the space after it. Then words can be merged
 * one by one, and cached, instead of a whole text at once, with the same result.
 */
function mergesStayInWords({ model, normalizer, pre_tokenizer }: TokenizerFile): boolean {
  if (model.type !== 'BPE') return false;
  const usesMetaspace = JSON.stringify(normalizer ?? pre_tokenizer ?? '').includes('▁');
  if (!usesMetaspace) return false;
  return model.merges.every((merge) => {
    const [left, right] = typeof merge === 'string' ? merge.split(' ') : merge;
    return left!.endsWith('▁') || !right!.startsWith('▁');
  });
}
