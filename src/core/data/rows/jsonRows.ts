import { t } from '../../../l10n/text.js';
import { maxNesting, measureJson } from '../../formats/json.js';
import { largestRecord, type DataFile } from '../source.js';
import type { RowItem } from './rowItem.js';

/** The elements of a JSON array, or one value per line (JSONL), ignoring blank lines. */
export function* jsonRows(file: DataFile): Generator<RowItem> {
  yield* beginsArray(file) ? arrayElements(file.text()) : lineItems(file);
}

function* lineItems(file: DataFile): Generator<RowItem> {
  for (const line of file.lines()) {
    if ('problem' in line) yield line;
    else if (line.text.trim() !== '') yield parseJsonRow(line.number, line.text);
  }
}

function beginsArray(file: DataFile): boolean {
  for (const line of file.lines()) {
    if ('problem' in line) return false;
    const start = line.text.trimStart();
    if (start !== '') return start.startsWith('[');
  }
  return false;
}

/** `maxDepth` is the largest number of brackets open at once. */
export function parseJsonRow(number: number, text: string, maxDepth = measureJson(text).maxDepth): RowItem {
  if (text.length > largestRecord) return { number, problem: t`the example is longer than ${largestRecord / 2 ** 20} MB` };
  if (maxDepth > maxNesting) return { number, problem: t`the JSON is nested more than ${maxNesting} deep` };
  try {
    return { number, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { number, problem: t`not valid JSON: ${(error as Error).message.slice(0, 200)}` };
  }
}

/** Cuts out each element by its brackets and parses it separately, which gives its line number and keeps errors local. */
function* arrayElements(text: string): Generator<RowItem> {
  let line = 1;
  let position = 0;
  const goTo = (index: number) => {
    for (; position < index; position++) if (text.charCodeAt(position) === newline) line++;
  };
  const skipSpace = (index: number) => {
    while (index < text.length && text.charCodeAt(index) <= space) index++;
    return index;
  };
  for (let start = skipSpace(text.indexOf('[') + 1), first = true; ; first = false) {
    const { end, maxDepth } = scanValue(text, start);
    const isClosed = text.charCodeAt(end) === closingBracket;
    goTo(start);
    if (!(first && isClosed && start === end)) yield parseJsonRow(line, text.slice(start, end), maxDepth);
    if (text.charCodeAt(end) === comma) {
      start = skipSpace(end + 1);
      continue;
    }
    goTo(end);
    if (!isClosed) yield { number: line, problem: t`the list is not closed with ]` };
    else if (skipSpace(end + 1) < text.length) yield { number: line, problem: t`there is more after the end of the list` };
    return;
  }
}

const codeOf = (character: string) => character.charCodeAt(0);
const [quote, backslash, newline, comma, space] = ['"', '\\', '\n', ',', ' '].map(codeOf) as [
  number,
  number,
  number,
  number,
  number,
];
const [openingBracket, closingBracket, openingBrace, closingBrace] = ['[', ']', '{', '}'].map(codeOf) as [
  number,
  number,
  number,
  number,
];

/** Finds the end of the value that begins at `start`: a comma or closing bracket outside of it, or the end of the text. */
function scanValue(text: string, start: number): { end: number; maxDepth: number } {
  let depth = 0;
  let maxDepth = 0;
  let inString = false;
  for (let index = start; index < text.length; index++) {
    const character = text.charCodeAt(index);
    if (inString && character === backslash) index++;
    else if (character === quote) inString = !inString;
    else if (inString) continue;
    else if (character === openingBracket || character === openingBrace) maxDepth = Math.max(maxDepth, ++depth);
    else if (character === closingBracket || character === closingBrace) {
      if (depth-- === 0) return { end: index, maxDepth };
    } else if (character === comma && depth === 0) return { end: index, maxDepth };
  }
  return { end: text.length, maxDepth };
}
