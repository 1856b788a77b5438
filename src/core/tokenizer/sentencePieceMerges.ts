import { t } from '../../l10n/text.js';
import { corrupt } from './tokenizerFile.js';

/** SentencePiece itself makes no piece longer than 16 characters. The work grows with the square of the length. */
const longestPiece = 512;

/**
 * BPE merges from a SentencePiece vocabulary: any two pieces that form a third may merge, best score first. Equal scores are
 * ordered as in Hugging Face's converter, so that ids match its tokenizer.json.
 */
export function sentencePieceMerges(
  tokens: readonly string[],
  scores: readonly number[],
  isPiece: (id: number) => boolean,
  file: string,
): [string, string][] {
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    if (isPiece(id)) ids.set(token, id);
  });
  const merges: { left: number; right: number; score: number }[] = [];
  for (const [piece, id] of ids) {
    if (piece.length > longestPiece) throw corrupt(file, t`token ${id} is ${piece.length} characters long`);
    const splits = [];
    for (let end = 1; end < piece.length; end++) {
      const left = ids.get(piece.slice(0, end));
      const right = left === undefined ? undefined : ids.get(piece.slice(end));
      if (left !== undefined && right !== undefined) splits.push({ left, right, score: scores[id]! });
    }
    merges.push(...splits.sort((a, b) => a.left - b.left || a.right - b.right));
  }
  const characters = tokens.map((token) => [...token].length);
  merges.sort(
    (a, b) => b.score - a.score || characters[b.left]! - characters[a.left]! || characters[b.right]! - characters[a.right]!,
  );
  return merges.map(({ left, right }) => [tokens[left]!, tokens[right]!]);
}
