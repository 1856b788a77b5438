// Exports a model of a published shape with random weights, in bfloat16 and with an adapter of rank 16, and measures time and peak
// memory of each target in a separate process. Exits with 1 if one takes more than 1 GB. Needs four times the model's size on the
// disk of FOLDER, which is removed afterwards.
//   node bench/export.mjs FOLDER [--shape llama-3.2-1b]
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.mjs';

const { values, positionals } = parseArgs({
  options: { shape: { type: 'string', default: 'llama-3.2-1b' } },
  allowPositionals: true,
});
const [folder] = positionals;
const limit = 1e9;
const targets = [
  ['merged', 'f32'],
  ['merged', 'f16'],
  ['merged', 'bf16'],
  ['gguf', 'f32'],
  ['gguf', 'f16'],
  ['gguf', 'bf16'],
  ['gguf', 'q8_0'],
  ['gguf', 'q4_0'],
  ['gguf', 'q4_1'],
  ['gguf-lora', 'f32'],
  ['peft', 'f32'],
];

await bundle('exportOf');
const run = (...args) => execFileSync(process.execPath, ['.cache/bench/exportOf.cjs', ...args], { encoding: 'utf8' });
try {
  run('make', folder, values.shape);
  for (const [to, dtype] of targets) {
    const result = JSON.parse(run('export', folder, to, dtype));
    console.log(JSON.stringify(result));
    if (result.peak_rss_bytes > limit) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
