/** @file Comma-, semicolon- and tab-separated values with a header (https://www.rfc-editor.org/rfc/rfc4180). */
import Papa from 'papaparse';
import { t } from '../../../l10n/text.js';
import { knownFields } from '../formats/format.js';
import { largestRecord, type DataFile } from '../source.js';
import { parseJsonRow } from './jsonRows.js';
import type { RowItem } from './rowItem.js';

const separators = [',', ';', '\t', '|'];

/** In characters; what is parsed at once, if no record is longer. */
const blockLength = 2 ** 16;

interface CsvRecord {
  /** The line on which it begins. */
  readonly line: number;
  readonly fields: readonly string[];
}

export function* csvRows(file: DataFile): Generator<RowItem> {
  let header: readonly string[] | undefined;
  for (const record of csvRecords(file)) {
    if ('problem' in record) yield record;
    else if (record.fields.every((field) => field === '')) continue;
    else if (header) yield asRow(header, record);
    else header = record.fields.map((name) => name.trim());
  }
}

/** A row may end before its last fields, but may not have more than the header names. */
function asRow(header: readonly string[], { line, fields }: CsvRecord): RowItem {
  if (fields.length > header.length)
    return { number: line, problem: t`it has ${fields.length} fields, but the header has ${header.length}` };
  return { number: line, value: Object.fromEntries(fields.map((text, index) => [header[index]!, cell(header[index]!, text)])) };
}

/** A list, such as the messages of a chat, is written as JSON. What is not JSON stays text, and the format says what is wrong. */
function cell(name: string, text: string): unknown {
  if (!isList(name) || !text.trimStart().startsWith('[')) return text;
  const parsed = parseJsonRow(1, text);
  return 'value' in parsed ? parsed.value : text;
}

function isList(name: string): boolean {
  const role = knownFields.get(name);
  return role === 'conversation' || role === 'token ids' || role === 'labels';
}

type CsvItem = CsvRecord | (RowItem & { readonly problem: string });

/**
 * Collects lines to blocks and parses them. A record that the end of a block may have cut is parsed again with the next block,
 * which is at least as long as the rest, so that a long record does not take the square of its length.
 */
function* csvRecords(file: DataFile): Generator<CsvItem> {
  let separator: string | undefined;
  let block: Block = { line: 1, text: '' };
  let wanted = blockLength;
  for (const line of file.lines()) {
    if ('problem' in line) {
      const rest = yield* recordsOf(block, separator, true);
      yield line;
      if (rest === null) return;
      block = { line: line.number + 1, text: '' };
      continue;
    }
    const text = line.text.replace(/^\uFEFF|\r$/g, '');
    separator ??= separatorOf(file.path, text);
    block.text += `${text}\n`;
    if (block.text.length < wanted) continue;
    const rest = yield* recordsOf(block, separator, false);
    if (rest === null) return;
    block = rest;
    wanted = Math.max(blockLength, 2 * rest.text.length);
  }
  yield* recordsOf(block, separator, true);
}

interface Block {
  /** The number of its first line. */
  readonly line: number;
  text: string;
}

/** Yields the records of a block and returns what remains of it, or null if the file can't be read further. */
function* recordsOf({ line, text }: Block, separator: string | undefined, isLast: boolean): Generator<CsvItem, Block | null> {
  const records = parse(text, separator);
  const cut = records.at(-1)?.isOpen ? records.pop() : undefined;
  let start = 0;
  for (const { fields, end } of records) {
    yield { line, fields };
    line += countLines(text, start, end);
    start = end;
  }
  if (cut && (isLast || text.length - start > largestRecord)) {
    yield { number: line, problem: t`a quotation mark is opened but not closed; nothing after it was read` };
    return null;
  }
  return { line, text: text.slice(start) };
}

interface ParsedRecord {
  readonly fields: readonly string[];
  /** Where it ends in the text. */
  readonly end: number;
  /** Whether the text ends within its quotation marks. */
  readonly isOpen: boolean;
}

function parse(text: string, delimiter = ','): ParsedRecord[] {
  const records: ParsedRecord[] = [];
  Papa.parse<string[]>(text, {
    delimiter,
    newline: '\n',
    step: ({ data: fields, errors, meta }) => {
      records.push({ fields, end: meta.cursor, isOpen: errors.some(({ code }) => code === 'MissingQuotes') });
    },
  });
  return records;
}

/** Tabs in a .tsv file; otherwise what divides the header into the most fields. */
function separatorOf(path: string, header: string): string {
  if (/\.tsv$/i.test(path)) return '\t';
  const widths = separators.map((separator) => parse(header, separator)[0]?.fields.length ?? 0);
  return separators[widths.indexOf(Math.max(...widths))]!;
}

function countLines(text: string, start: number, end: number): number {
  let count = 0;
  for (let index = text.indexOf('\n', start); index >= 0 && index < end; index = text.indexOf('\n', index + 1)) count++;
  return count;
}
