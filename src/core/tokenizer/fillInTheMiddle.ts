import type { FillInTheMiddle } from './tokenizer.js';

/** The names model families give to these tokens: prefix, suffix, middle, end. */
const families: readonly (readonly [string, string, string, string | null])[] = [
  // Code Llama
  ['▁<PRE>', '▁<SUF>', '▁<MID>', '▁<EOT>'],
  // StarCoder, SmolLM, Granite
  ['<fim_prefix>', '<fim_suffix>', '<fim_middle>', null],
  ['<fim-prefix>', '<fim-suffix>', '<fim-middle>', null],
  // Qwen
  ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>', null],
  // DeepSeek Coder
  ['<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>', null],
];

/** Finds the fill-in-the-middle tokens of a vocabulary by their names; null where it has none. */
export function findFillInTheMiddle(tokenId: (token: string) => number | undefined): FillInTheMiddle | null {
  for (const [prefix, suffix, middle, end] of families) {
    const [prefixId, suffixId, middleId] = [tokenId(prefix), tokenId(suffix), tokenId(middle)];
    if (prefixId === undefined || suffixId === undefined || middleId === undefined) continue;
    return { prefixId, suffixId, middleId, endId: (end === null ? undefined : tokenId(end)) ?? null };
  }
  return null;
}
