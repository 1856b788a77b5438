/**
 * How much memory a data set adds to the process, compared with the estimate.
 *   npx tsx bench/dataMemory.ts [examples] [words of an answer]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDataset } from '../src/core/data/dataset.js';
import { bytesInMemory, sizeOf } from '../src/core/data/report.js';
import { diskFiles } from '../src/files/dataFiles.js';
import { readTokenizerFolder } from '../src/files/tokenizerFiles.js';

const [count = 52000, length = 45] = process.argv.slice(2).map(Number);
const words = 'the of and to in is that for it as was with be by on not he his but at are this have from'.split(' ');
const text = (start: number, step: number, wordCount: number): string =>
  Array.from({ length: wordCount }, (_, i) => words[(start + step * i * i) % words.length]).join(' ');

const folder = mkdtempSync(join(tmpdir(), 'data-'));
const path = join(folder, 'data.jsonl');
const record = (i: number): string =>
  `${JSON.stringify({ instruction: text(7 * i, 1, 14), input: '', output: `${text(3 * i, 5, length)} ${i}` })}\n`;
writeFileSync(path, '');
for (let i = 0; i < count; i += 1000)
  writeFileSync(path, Array.from({ length: Math.min(1000, count - i) }, (_, j) => record(i + j)).join(''), { flag: 'a' });

const tokenizer = readTokenizerFolder('test/fixtures/models/tiny-llama');
const before = process.memoryUsage().rss;
const { report } = loadDataset(
  { path, format: 'auto', eval_path: null, eval_fraction: 0, max_seq_length: 1024, train_on_prompt: false, seed: 0 },
  tokenizer,
  diskFiles,
);
const added = process.memoryUsage().rss - before;
rmSync(folder, { recursive: true });
const { examples, tokens } = report.training;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
console.log(
  `${examples} examples, ${tokens} tokens: ${megabytes(bytesInMemory(sizeOf(report)))} expected, ${megabytes(added)} added`,
);
