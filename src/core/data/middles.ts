/** @file Where a source file is cut for fill-in-the-middle: at what a person would write in one go, and at random. */
import type { Random } from '../random.js';

/** A part of a text, from `start` up to `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Something that a person would write in one go. */
export interface Piece extends Span {
  readonly kind: (typeof pieceKinds)[number];
}

const pieceKinds = ['enclosed', 'argument', 'block', 'statement'] as const;

/**
 * A middle that starts in `within`: half of the time a piece of syntax, otherwise the rest of a line or a run of at most `longest`
 * characters that starts anywhere. Undefined if there is nothing but space.
 */
export function chooseMiddle(
  text: string,
  pieces: readonly Piece[],
  within: Span,
  longest: number,
  random: Random,
): Span | undefined {
  const startsWithin = pieces.filter(({ start }) => start >= within.start && start < within.end);
  const bySyntax = random.uniform() < 0.5 && startsWithin.length > 0;
  const middle = bySyntax ? ofSomeKind(startsWithin, random) : anywhere(text, within, longest, random);
  return text.slice(middle.start, middle.end).trim() === '' ? undefined : middle;
}

/** First a kind, then one of its pieces: there are several statements to a block, and a model must learn to write both to their end. */
function ofSomeKind(pieces: readonly Piece[], random: Random): Piece {
  const ofKinds = pieceKinds.map((kind) => pieces.filter((piece) => piece.kind === kind)).filter(({ length }) => length > 0);
  const ofKind = ofKinds[below(ofKinds.length, random)]!;
  return ofKind[below(ofKind.length, random)]!;
}

function anywhere(text: string, within: Span, longest: number, random: Random): Span {
  const start = within.start + below(within.end - within.start, random);
  const lineEnd = text.indexOf('\n', start);
  const last = Math.min(text.length, start + longest);
  if (random.uniform() < 0.5) return { start, end: lineEnd < 0 ? last : Math.min(lineEnd, last) };
  return { start, end: start + 1 + below(last - start, random) };
}

function below(count: number, random: Random): number {
  return Math.floor(random.uniform() * count);
}

/**
 * What brackets enclose, each of several arguments or elements in them, indented blocks and statements of one line, up to `longest`
 * characters; in any language, for none is parsed. Blocks and statements start behind their indentation, where editors put the
 * cursor.
 */
export function piecesOfSyntax(text: string, longest: number): Piece[] {
  return [...bracketed(text), ...indentedBlocks(text), ...statements(text)].filter(
    ({ start, end }) => end - start <= longest && text.slice(start, end).trim() !== '',
  );
}

const closingOf: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Brackets in strings and comments may pair up wrongly; a pair that does not fit is dropped with all that is still open. */
function bracketed(text: string): Piece[] {
  const pieces: Piece[] = [];
  let open: { readonly closing: string; readonly start: number; readonly commas: number[] }[] = [];
  for (const { 0: mark, index } of text.matchAll(/[()[\]{},]/g)) {
    const closing = closingOf[mark];
    if (closing) open.push({ closing, start: index + 1, commas: [] });
    else if (mark === ',') open.at(-1)?.commas.push(index);
    else {
      const last = open.pop();
      if (last?.closing === mark)
        pieces.push({ kind: 'enclosed', start: last.start, end: index }, ...between(last.start, last.commas, index));
      else open = [];
    }
  }
  return pieces;
}

/** The arguments of a call, or the elements of a list, if there are several. */
function between(start: number, commas: readonly number[], end: number): Piece[] {
  if (commas.length === 0) return [];
  const starts = [start, ...commas.map((comma) => comma + 1)];
  return starts.map((from, index) => ({ kind: 'argument', start: from, end: commas[index] ?? end }));
}

/** Lines that say something, without their indentation. */
function statements(text: string): Piece[] {
  return [...text.matchAll(/^([ \t]*)(\S.*\w.*)$/gm)].map(({ 1: indent = '', 2: line = '', index }) => ({
    kind: 'statement',
    start: index + indent.length,
    end: index + indent.length + line.length,
  }));
}

/** The lines below a line that are indented more, without the last line break. */
function indentedBlocks(text: string): Piece[] {
  const lines = [...text.matchAll(/^([ \t]*)\S.*$/gm)].map(({ 0: line, 1: indent = '', index }) => ({
    indent: indent.length,
    start: index,
    end: index + line.length,
  }));
  const blocks: Piece[] = [];
  // Lines whose blocks are still open, each indented more than the one before.
  const open: { readonly indent: number; readonly start: number | undefined }[] = [];
  const close = (indent: number, end: number): void => {
    while (open.length > 0 && open.at(-1)!.indent >= indent) {
      const { start } = open.pop()!;
      if (start !== undefined) blocks.push({ kind: 'block', start, end });
    }
  };
  lines.forEach(({ indent }, at) => {
    if (at > 0) close(indent, lines[at - 1]!.end);
    const next = lines[at + 1];
    open.push({ indent, start: next && next.indent > indent ? next.start + next.indent : undefined });
  });
  close(0, lines.at(-1)?.end ?? 0);
  return blocks;
}
