/**
 * @file The most probable division of a text into pieces (https://arxiv.org/abs/1804.10959), computed in fp32 as SentencePiece
 * does (src/unigram_model.cc, Model::EncodeOptimized), so that pieces of nearly equal probability are chosen alike.
 */
import { neverScore, type UnigramModel } from './tokenizerFile.js';

/** What a character costs that no piece has, below the least probable piece. */
const unknownPenalty = 10;

interface Node {
  readonly next: Map<number, Node>;
  /** Of the piece that ends here. */
  score: number | null;
}

/** Gives the pieces of a text; a character that no piece has is a piece of its own, or its bytes. */
export function unigramEncoder(
  { vocab, byte_fallback }: UnigramModel,
  isAdded: (id: number) => boolean,
): (text: string) => string[] {
  const pieces = vocab.filter(([piece, score], id) => piece !== '' && score > neverScore && !isAdded(id));
  const root = trieOf(pieces);
  const unknownScore = pieces.reduce((least, [, score]) => Math.min(least, score), 0) - unknownPenalty;
  const spell = byte_fallback ? bytesOf : (character: string) => [character];
  return (text) => {
    const starts = bestStarts(text, root, unknownScore);
    const found: string[][] = [];
    for (let end = text.length; end > 0;) {
      const { start, isKnown } = starts[end]!;
      const piece = text.slice(start, end);
      found.push(isKnown ? [piece] : spell(piece));
      end = start;
    }
    return found.reverse().flat();
  };
}

function trieOf(pieces: readonly (readonly [string, number])[]): Node {
  const root: Node = { next: new Map(), score: null };
  for (const [piece, score] of pieces) {
    let node = root;
    for (let i = 0; i < piece.length; i++) {
      const code = piece.charCodeAt(i);
      let next = node.next.get(code);
      if (!next) node.next.set(code, (next = { next: new Map(), score: null }));
      node = next;
    }
    node.score = score;
  }
  return root;
}

interface LastPiece {
  readonly start: number;
  readonly isKnown: boolean;
  /** Of the best division up to here. */
  readonly score: number;
}

/** For each place in the text, the last piece of the best division of what comes before. */
function bestStarts(text: string, root: Node, unknownScore: number): (LastPiece | undefined)[] {
  const best: (LastPiece | undefined)[] = [{ start: 0, isKnown: true, score: 0 }];
  const offer = (start: number, end: number, score: number, isKnown: boolean): void => {
    const total = Math.fround(best[start]!.score + score);
    if (!best[end] || total > best[end].score) best[end] = { start, isKnown, score: total };
  };
  for (let start = 0; start < text.length;) {
    const next = start + (text.codePointAt(start)! > 0xffff ? 2 : 1);
    let hasCharacter = false;
    let node: Node | undefined = root;
    for (let at = start; at < text.length && (node = node.next.get(text.charCodeAt(at))); at++) {
      if (node.score === null) continue;
      offer(start, at + 1, node.score, true);
      if (at + 1 === next) hasCharacter = true;
    }
    if (!hasCharacter) offer(start, next, unknownScore, false);
    start = next;
  }
  return best;
}

const encoder = new TextEncoder();

function bytesOf(character: string): string[] {
  return Array.from(encoder.encode(character), (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
}
