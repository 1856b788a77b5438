import { t } from '../../l10n/text.js';
import type { FormatName } from './detectFormat.js';
import { fileName } from './fileRules.js';
import { withFillInTheMiddle } from './fillInTheMiddle.js';
import { sourceText } from './formats/code.js';
import { rowFormats } from './formats/format.js';
import { asObject, isRowFile, rowsOf } from './rows/rows.js';
import { learnedTokens, wholeText, type EncodingContext, type Sequence } from './sequence.js';
import { largestDocument, Unusable, type DataFile, type Skipped } from './source.js';

/** The result of reading one record of a data file. */
type ReadResult = ReadSequence | Skipped;

export interface ReadSequence {
  /** `path:line`, or the path alone for a file that is a single text. */
  readonly origin: string;
  /** One sequence, or several if a long text was split into windows. None is longer than the limit. */
  readonly sequences: readonly Sequence[];
  /** Number of tokens that were cut off. */
  readonly cut: number;
}

/**
 * Yields every record of a file in order, as sequences or as the reason it was skipped. Throws UserError('data-invalid') only for
 * problems that make the whole file useless for this model, such as ids outside its vocabulary. `folder` is what the user chose,
 * if it was not the file itself.
 */
export function* readSequences(
  file: DataFile,
  format: FormatName,
  context: EncodingContext,
  folder: string | null,
): Generator<ReadResult> {
  if (format === 'code') yield attempt(file.path, () => sourceSequences(file, context, folder));
  else if (format === 'text' && !isRowFile(file))
    yield attempt(file.path, () => windows(wholeText(documentText(file), context), context));
  else yield* readRows(file, format, context);
}

function sourceSequences(file: DataFile, context: EncodingContext, folder: string | null): Omit<ReadSequence, 'origin'> {
  const { tokenizer, maxSequenceLength, fillInTheMiddle } = context;
  const text = sourceText(file);
  const { sequences, cut } = windows(wholeText(text, context), context);
  if (!fillInTheMiddle) return { sequences, cut };
  const source = { text, ...placeIn(folder, file.path) };
  return { sequences: withFillInTheMiddle(sequences, source, fillInTheMiddle, tokenizer, maxSequenceLength), cut };
}

/** The editor tells a model the same about the file that it completes (src/backend/documentPlace.ts). */
function placeIn(folder: string | null, path: string): { file: string; repository?: string } {
  if (folder === null) return { file: fileName(path) };
  return { file: pathInside(folder, path), repository: repositoryName(folder) };
}

export function repositoryName(folder: string): string {
  return fileName(folder.replace(/[\\/]+$/, ''));
}

/** Relative to the folder, with forward slashes. The folder may be written in ways that are not in the path, such as `.` or `./src`. */
export function pathInside(folder: string, path: string): string {
  return partsOf(path).slice(partsOf(folder).length).join('/');
}

function partsOf(path: string): string[] {
  return path.split(/[\\/]+/).filter((part) => part !== '' && part !== '.');
}

function* readRows(file: DataFile, name: FormatName, context: EncodingContext): Generator<ReadResult> {
  const format = rowFormats.find((each) => each.name === name)!;
  const fit = format.tooLong === 'cut' ? cutAtEnd : windows;
  for (const item of rowsOf(file)) {
    const origin = `${file.path}:${item.number}`;
    if ('problem' in item) yield { origin, reason: item.problem };
    else yield attempt(origin, () => fit(format.encode(asObject(item.value), context, origin), context));
  }
}

function attempt(origin: string, read: () => Omit<ReadSequence, 'origin'>): ReadResult {
  try {
    return { origin, ...read() };
  } catch (error) {
    if (error instanceof Unusable) return { origin, reason: error.message };
    throw error;
  }
}

function documentText(file: DataFile): string {
  if (file.size > largestDocument)
    throw new Unusable(
      t`larger than ${largestDocument / 2 ** 20} MB; cut it into several files, or JSONL rows with a "text" each`,
    );
  const text = file.text();
  if (text.trim() === '') throw new Unusable(t`the file is empty`);
  return text;
}

function cutAtEnd({ inputIds, labels }: Sequence, { maxSequenceLength }: EncodingContext): Omit<ReadSequence, 'origin'> {
  const sequence = { inputIds: inputIds.slice(0, maxSequenceLength), labels: labels.slice(0, maxSequenceLength) };
  if (learnedTokens(sequence.labels) > 0) return { sequences: [sequence], cut: Math.max(0, inputIds.length - maxSequenceLength) };
  throw new Unusable(
    learnedTokens(labels) > 0
      ? t`cutting its ${inputIds.length} tokens to ${maxSequenceLength} leaves nothing to learn from`
      : t`it has no tokens to learn from`,
  );
}

/** Splits a long text into consecutive windows. A last window of one token is dropped, because it has nothing to predict. */
function windows({ inputIds, labels }: Sequence, { maxSequenceLength }: EncodingContext): Omit<ReadSequence, 'origin'> {
  const sequences: Sequence[] = [];
  for (let start = 0; start + 1 < inputIds.length; start += maxSequenceLength) {
    const end = start + maxSequenceLength;
    sequences.push({ inputIds: inputIds.slice(start, end), labels: labels.slice(start, end) });
  }
  if (sequences.length === 0) throw new Unusable(t`it has no tokens to learn from`);
  return { sequences, cut: 0 };
}
