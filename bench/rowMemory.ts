/**
 * How much memory it takes to go through the rows of a data file, however large it is. Without a path, a file of a kind is made.
 *   npx tsx bench/rowMemory.ts jsonl|csv|parquet [megabytes]
 *   npx tsx bench/rowMemory.ts PATH
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetWriteFile } from 'hyparquet-writer';
import { rowsOf } from '../src/core/data/rows/rows.js';
import { diskFiles } from '../src/files/dataFiles.js';

const [given = 'parquet', megabytes = '200'] = process.argv.slice(2);
const words = 'the of and to in is that for it as was with be by on not he his but at are this have from'.split(' ');
const answer = (i: number): string => Array.from({ length: 150 }, (_, j) => words[(i + 7 * j * j) % words.length]).join(' ');
const count = Math.round((Number(megabytes) * 1e6) / answer(0).length);

const writers: Record<string, (path: string) => void> = {
  jsonl: (path) => writeLines(path, '', (i) => JSON.stringify({ prompt: `Prompt ${i}`, completion: answer(i) })),
  csv: (path) => writeLines(path, 'prompt,completion\n', (i) => `Prompt ${i},"${answer(i)}"`),
  // A single row group: the most that a reader could be tempted to hold at once.
  parquet: (filename) =>
    parquetWriteFile({
      filename,
      columnData: [
        { name: 'prompt', data: Array.from({ length: count }, (_, i) => `Prompt ${i}`), type: 'STRING' },
        { name: 'completion', data: Array.from({ length: count }, (_, i) => answer(i)), type: 'STRING', encoding: 'PLAIN' },
      ],
      codec: 'UNCOMPRESSED',
      rowGroupSize: count,
    }),
};

const write = writers[given];
if (write) makeAndMeasure(write);
else measure(given);

/** In two processes, so that the writing does not count. */
function makeAndMeasure(write: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'rows-'));
  try {
    const path = join(folder, `rows.${given}`);
    write(path);
    execFileSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), path], { stdio: 'inherit' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeLines(path: string, header: string, line: (i: number) => string): void {
  const descriptor = openSync(path, 'w');
  writeSync(descriptor, header);
  for (let i = 0; i < count; i++) writeSync(descriptor, `${line(i)}\n`);
  closeSync(descriptor);
}

function measure(path: string): void {
  const place = diskFiles.open(path);
  if (place.kind !== 'file') throw new Error(`${path} is a folder.`);
  const before = process.memoryUsage().rss;
  const start = performance.now();
  let [rows, problems, peak] = [0, 0, before];
  for (const item of rowsOf(place.file)) {
    if ('problem' in item) problems++;
    if (++rows % 100 === 0) peak = Math.max(peak, process.memoryUsage().rss);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const inMegabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  console.log(
    `${rows} rows (${problems} unreadable) of ${inMegabytes(statSync(path).size)} in ${seconds} s: ${inMegabytes(peak - before)} added at most`,
  );
}
