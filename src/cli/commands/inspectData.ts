/** @file The output of `inspect` for a data set. */
import { chooseFiles, detectFormat } from '../../core/data/detectFormat.js';
import { fieldRoles, type Row } from '../../core/data/formats/format.js';
import { isRowFile, rowsOf } from '../../core/data/rows/rows.js';
import { byKind } from '../../core/data/report.js';
import { Unusable, type DataFile, type Skipped } from '../../core/data/source.js';
import { modelPath } from '../../files/cacheFolder.js';
import { loadModelForData } from '../../files/loadModel.js';
import { curatedData } from '../../runs/curatedData.js';
import { readDataset } from '../../runs/runData.js';
import { sequenceLengthFor } from '../../runs/sequenceLength.js';
import { usualConfig } from '../../runs/usualConfig.js';
import { modelName } from '../../protocol/modelName.js';
import type { Output } from '../output.js';
import { credentialWarnings, fileRows, leftOutRows } from '../preflightText.js';
import { bytes, integer, plural, table } from '../format.js';

export function show(output: Output, title: string, facts: object, rows: readonly (readonly [string, string])[]): void {
  output.emit(facts);
  output.say(title);
  output.say(table(rows));
}

const skippedShown = 10;
const skippedKept = 100;

/** Describes a data set as far as possible without a tokenizer. */
export async function inspectRecords(output: Output, path: string): Promise<void> {
  const { data, train } = usualConfig('model', { path, eval_fraction: 0 });
  const place = (await curatedData(data, train.seed)).files.open(path);
  const format = detectFormat(place);
  const { files, leftOut } = chooseFiles(place, format);
  const sizeBytes = files.reduce((sum, { size }) => sum + size, 0);
  const count: RecordCount = { records: 0, skippedCount: 0 };
  const skipped: Skipped[] = [];
  for (const problem of files.flatMap((file) => [...problemsOf(file, count)])) {
    count.skippedCount++;
    if (skipped.length < skippedKept) skipped.push(problem);
  }
  const { firstRow, ...counts } = count;
  const columns = fieldRoles(firstRow ?? {}, format);
  const facts = { kind: 'data', path, format, columns, files: files.length, sizeBytes, ...counts, skipped };
  show(output, `${path} is a data set.`, facts, [
    ['Format', format],
    ['Size', `${plural(files.length, 'file')}, ${bytes(sizeBytes)}`],
    ...leftOutRows(byKind(leftOut)),
    ...columnRows(columns),
    ['Records', integer(count.records)],
    ...skippedRows(skipped, count.skippedCount),
  ]);
  credentialWarnings({ leftOut: byKind(leftOut) }).forEach((warning) => output.say(`  ${warning}`));
  output.say(output.faint('  With --model it is counted in tokens, and every record is checked.'));
}

interface RecordCount {
  records: number;
  skippedCount: number;
  firstRow?: Row;
}

function columnRows(columns: Readonly<Record<string, string | null>>): (readonly [string, string])[] {
  return Object.entries(columns).map(([name, role], index) => [index === 0 ? 'Columns' : '', `${name} → ${role ?? 'not read'}`]);
}

/** Yields what cannot be read in a file and counts what can: rows, or the file itself if it is a single text. */
function* problemsOf(file: DataFile, count: RecordCount): Generator<Skipped> {
  if (!isRowFile(file)) {
    const reason = whyNoText(file);
    if (reason === null) count.records++;
    else yield { origin: file.path, reason };
    return;
  }
  for (const item of rowsOf(file)) {
    if ('problem' in item) yield { origin: `${file.path}:${item.number}`, reason: item.problem };
    else {
      count.records++;
      count.firstRow ??= (item.value ?? {}) as Row;
    }
  }
}

function whyNoText(file: DataFile): string | null {
  try {
    file.text();
    return null;
  } catch (error) {
    if (error instanceof Unusable) return error.message;
    throw error;
  }
}

export async function inspectTokens(output: Output, path: string, model: string, asked: number | undefined): Promise<void> {
  const loaded = loadModelForData(model);
  const { weights } = loaded;
  weights.close();
  const maxSeqLength = sequenceLengthFor(weights.config, asked, '--max-seq-length');
  const { dataset } = await readDataset(
    loaded,
    usualConfig(model, { path, eval_fraction: 0, fim_rate: 0, max_seq_length: maxSeqLength }),
  );
  const { report } = dataset;
  const { training, format, files, fileCount, languages, folders, leftOut, skipped, skippedCount } = report;
  show(
    output,
    `${path} is a data set, counted in tokens of ${modelName(modelPath(model))}.`,
    { kind: 'data', path, format, ...training, files, fileCount, languages, folders, leftOut, skipped, skippedCount },
    [
      ['Format', format],
      ['Examples', integer(training.examples)],
      ['Tokens', `${integer(training.tokens)}, of which the loss counts ${integer(training.labelTokens)}`],
      [
        'Lengths',
        `${training.shortestLength} to ${training.longestLength}, ${training.medianLength} in the middle; 95 % are no longer than ${training.length95}`,
      ],
      ['Cut off', `${integer(training.truncated)} longer than ${integer(maxSeqLength)}`],
      ...fileRows(report),
      ...skippedRows(skipped, skippedCount),
    ],
  );
  credentialWarnings(report).forEach((warning) => output.say(`  ${warning}`));
}

function skippedRows(skipped: readonly Skipped[], count: number): (readonly [string, string])[] {
  const first = skipped.slice(0, skippedShown).map(({ origin, reason }) => ['', `${origin}: ${reason}`] as const);
  return [['Skipped', integer(count)], ...first];
}
