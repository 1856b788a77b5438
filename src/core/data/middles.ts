/** @file Where a source file is cut for fill-in-the-middle: at what a person would write in one go, and at random. */
import type { Random } from '../random.js';

/** A part of a text, from `start` up to `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * A middle that starts in `within`: half of the time a piece of syntax (what brackets enclose, or an indented block), otherwise the
 * rest of a line or a run of at most `longest` characters that starts anywhere. Undefined if there is nothing but space.
 */
export function chooseMiddle(
  text: string,
  pieces: readonly Span[],
  within: Span,
  longest: number,
  random: Random,
): Span | undefined {
  const startsWithin = pieces.filter(({ start }) => start >= within.start && start < within.end);
  const bySyntax = random.uniform() < 0.5 && startsWithin.length > 0;
  const middle = bySyntax ? startsWithin[below(startsWithin.length, random)]! : anywhere(text, within, longest, random);
  return text.slice(middle.start, middle.end).trim() === '' ? undefined : middle;
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
 * characters; in any language, for none is parsed.
 */
export function piecesOfSyntax(text: string, longest: number): Span[] {
  return [...bracketed(text), ...indentedBlocks(text), ...statements(text)].filter(
    ({ start, end }) => end - start <= longest && text.slice(start, end).trim() !== '',
  );
}

const closingOf: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Brackets in strings and comments may pair up wrongly; a pair that does not fit is dropped with all that is still open. */
function bracketed(text: string): Span[] {
  const spans: Span[] = [];
  let open: { readonly closing: string; readonly start: number; readonly commas: number[] }[] = [];
  for (const { 0: mark, index } of text.matchAll(/[()[\]{},]/g)) {
    const closing = closingOf[mark];
    if (closing) open.push({ closing, start: index + 1, commas: [] });
    else if (mark === ',') open.at(-1)?.commas.push(index);
    else {
      const last = open.pop();
      if (last?.closing === mark) spans.push({ start: last.start, end: index }, ...between(last.start, last.commas, index));
      else open = [];
    }
  }
  return spans;
}

/** The arguments of a call, or the elements of a list, if there are several. */
function between(start: number, commas: readonly number[], end: number): Span[] {
  if (commas.length === 0) return [];
  const starts = [start, ...commas.map((comma) => comma + 1)];
  return starts.map((from, index) => ({ start: from, end: commas[index] ?? end }));
}

/** Lines that say something, without their indentation. */
function statements(text: string): Span[] {
  return [...text.matchAll(/^([ \t]*)(\S.*\w.*)$/gm)].map(({ 1: indent = '', 2: line = '', index }) => ({
    start: index + indent.length,
    end: index + indent.length + line.length,
  }));
}

/** The lines below a line that are indented more, without the last line break. */
function indentedBlocks(text: string): Span[] {
  const lines = [...text.matchAll(/^([ \t]*)\S.*$/gm)].map(({ 0: line, 1: indent = '', index }) => ({
    indent: indent.length,
    start: index,
    end: index + line.length,
  }));
  const blocks: Span[] = [];
  // Lines whose blocks are still open, each indented more than the one before.
  const open: { readonly indent: number; readonly start: number | undefined }[] = [];
  const close = (indent: number, end: number): void => {
    while (open.length > 0 && open.at(-1)!.indent >= indent) {
      const { start } = open.pop()!;
      if (start !== undefined) blocks.push({ start, end });
    }
  };
  lines.forEach(({ indent }, at) => {
    if (at > 0) close(indent, lines[at - 1]!.end);
    const next = lines[at + 1];
    open.push({ indent, start: next && next.indent > indent ? next.start : undefined });
  });
  close(0, lines.at(-1)?.end ?? 0);
  return blocks;
}
