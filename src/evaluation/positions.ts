/** @file Where the cursor is put in files that the adapter has never seen. In any language, for none is parsed. */
import CRC32 from 'crc-32';
import { chooseMode, type StopMode } from '../complete/stopRules.js';
import { textAround } from '../complete/textAround.js';
import { piecesOfSyntax, type Span } from '../core/data/middles.js';
import { shuffledIndices } from '../core/data/shuffle.js';
import { Random } from '../core/random.js';
import { positionKinds, type PositionKind } from '../protocol/completionReport.js';

export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** In its repository, with forward slashes, and the repository's name, as the editor tells the model. */
  readonly file: string;
  readonly repository?: string;
  readonly text: string;
}

/** A cursor in a file, and what was written there. */
export interface Position {
  readonly kind: PositionKind;
  readonly source: SourceFile;
  readonly start: number;
  readonly end: number;
  /** What the editor would read before and after the cursor if the middle were not written yet. */
  readonly prefix: string;
  readonly middle: string;
  readonly suffix: string;
}

/** The longest that a single suggestion can reasonably be asked for, in characters. */
const longestMiddle = 700;

/**
 * `count` positions, or as many as there are: equally many of each kind as far as possible, each kind from as many files as
 * possible. The same files and seed give the same positions, in the order of the files.
 */
export function choosePositions(files: readonly SourceFile[], count: number, seed: number): readonly Position[] {
  const queues = positionKinds.map((kind) => inTurns(files, kind, seed)[Symbol.iterator]());
  const chosen = new Map<string, Position>();
  for (let isLeft = true; isLeft && chosen.size < count;) {
    isLeft = false;
    for (const queue of queues) {
      const next = queue.next();
      if (next.done) continue;
      isLeft = true;
      const { source, start, end } = next.value;
      // A block of one line may be found twice, as a line and as a block.
      if (chosen.size < count) chosen.set(`${source.path}:${start}:${end}`, next.value);
    }
  }
  const order = new Map(files.map((file, index) => [file, index]));
  return [...chosen.values()].sort(
    (one, other) => order.get(one.source)! - order.get(other.source)! || one.start - other.start || one.end - other.end,
  );
}

/** All positions of a kind, shuffled, one from each file in turn. */
function* inTurns(files: readonly SourceFile[], kind: PositionKind, seed: number): Generator<Position> {
  const stream = positionKinds.indexOf(kind);
  const ofFiles = files.map((source) => {
    const ofFile = [stream, CRC32.str(source.file) >>> 0];
    const spans = spansOf(source.text, kind, new Random(seed, ...ofFile));
    return Array.from(shuffledIndices(spans.length, seed, ...ofFile), (index) => ({ source, span: spans[index]! }));
  });
  const order = Array.from(shuffledIndices(files.length, seed, stream), (index) => ofFiles[index]!);
  const longest = Math.max(0, ...order.map(({ length }) => length));
  for (let turn = 0; turn < longest; turn++) {
    for (const found of order) if (found[turn]) yield positionAt(found[turn]!.source, kind, found[turn]!.span);
  }
}

function positionAt(source: SourceFile, kind: PositionKind, { start, end }: Span): Position {
  return { kind, source, start, end, middle: source.text.slice(start, end), ...textAround(source.text, start, end) };
}

function spansOf(text: string, kind: PositionKind, random: Random): readonly Span[] {
  switch (kind) {
    case 'lineRest':
      return lines(text).flatMap((line) => restOf(line, random));
    case 'line':
      // At the very beginning, a model that reads only what is before the cursor has nothing to read.
      return lines(text).filter(({ start }) => text.slice(0, start).trim() !== '' && modeAt(text, start) === 'line');
    case 'block':
      return blocks(text, false);
    case 'functionBody':
      return blocks(text, true);
    case 'arguments':
      return callArguments(text);
  }
}

const comment = /^(\/\/|\/?\*|#(?!(include|define|if|else|endif|pragma|\[))|--|<!--|"""|''')/;

/** Lines of code without their indentation; comments are prose, which nobody could foresee. */
function lines(text: string): readonly Span[] {
  return [...text.matchAll(/^[ \t]*(\S.*?)[ \t\r]*$/gm)]
    .map(({ 0: line, 1: content = '', index }) => ({ content, start: index + line.indexOf(content) }))
    .filter(({ content }) => content.length >= 4 && content.length <= longestMiddle && hasWord(content) && !comment.test(content))
    .map(({ content, start }) => ({ start, end: start + content.length }));
}

/** Someone is typing: at least two characters of the line are there, and at least two are missing. */
function restOf({ start, end }: Span, random: Random): readonly Span[] {
  const choices = end - start - 3;
  return choices < 1 ? [] : [{ start: start + 2 + Math.floor(random.uniform() * choices), end }];
}

const functionHeader =
  /\b(function|def|func|fn|fun|sub|proc)\b|^(?!\s*[})]?\s*(if|for|foreach|while|switch|catch|else|elif|with|using|lock|match|when|unless|until|do|try|return|new)\b)[^=]*\)[^=;]*\{\s*$|=>\s*\{?\s*$/;

/** The indented lines below a line that opens a block, from where the editor puts the cursor. */
function blocks(text: string, ofFunctions: boolean): readonly Span[] {
  return piecesOfSyntax(text, longestMiddle).filter(({ kind, start, end }) => {
    if (kind !== 'block' || modeAt(text, start) !== 'block' || !hasWord(text.slice(start, end))) return false;
    return functionHeader.test(lastLineOf(linesBefore(text, start).trimEnd())) === ofFunctions;
  });
}

const declaration = /\b(function|def|func|fn|fun|class|sub|proc)\s*\*?\s*[\w.]*$/;
const statement =
  /(^|[^\p{L}\p{N}_])(if|for|foreach|while|switch|catch|return|with|elif|match|when|function|super|typeof|in|of|await)$/u;

/** What a call passes, as far as it is on one line. */
function callArguments(text: string): readonly Span[] {
  return piecesOfSyntax(text, longestMiddle).filter(({ start, end }) => {
    const [inside, lineBefore] = [text.slice(start, end), lastLineOf(linesBefore(text, start - 1))];
    if (text[start - 1] !== '(' || text[end] !== ')' || inside.includes('\n') || inside.length < 3 || !hasWord(inside))
      return false;
    if (!/[\p{L}\p{N}_\])>]$/u.test(lineBefore) || declaration.test(lineBefore) || statement.test(lineBefore)) return false;
    return !comment.test(lineBefore.trimStart()) && !/^\)\s*(:|\{|=>|->)/.test(text.slice(end, end + 20));
  });
}

/** What the editor would write there: only positions are asked for where that is what is missing. */
function modeAt(text: string, start: number): StopMode {
  return chooseMode(linesBefore(text, start), 'auto');
}

function linesBefore(text: string, start: number): string {
  return text.slice(Math.max(0, start - 2000), start);
}

function hasWord(text: string): boolean {
  return /[\p{L}\p{N}_]/u.test(text);
}

function lastLineOf(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1);
}
