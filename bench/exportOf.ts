/**
 * Run by export.mjs, each time in a separate process.
 *   make FOLDER SHAPE             a model with random weights in bfloat16, and an adapter of rank 16 on all linears
 *   export FOLDER TARGET DTYPE    exports the two; prints one line of JSON
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeTensor } from '../src/core/formats/encodeTensor.js';
import { safetensorsHeader } from '../src/core/formats/safetensors.js';
import { configJson } from '../src/core/models/registry.js';
import { linearNames } from '../src/core/models/linears.js';
import { weightTable } from '../src/core/models/weightTable.js';
import { initialLoraState } from '../src/core/train/loraInit.js';
import { exportModel } from '../src/export/exportModel.js';
import { writeAdapterFolder } from '../src/files/adapterFolder.js';
import { openForPieces } from '../src/files/atomicWrite.js';
import type { ExportDType, ExportTarget } from '../src/protocol/export.js';
import { peakMemoryBytes } from '../src/runtime/memory/peak.js';
import { randomWeights, shapes } from './shapes.js';

const [command, folder, ...rest] = process.argv.slice(2) as [string, string, ...string[]];
const model = join(folder, 'model');
const adapter = join(folder, 'adapter');

function make(shape: string): void {
  const config = shapes[shape as keyof typeof shapes];
  mkdirSync(model, { recursive: true });
  writeFileSync(join(model, 'config.json'), JSON.stringify({ ...configJson(config), torch_dtype: 'bfloat16' }));
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(join('test/fixtures/models/tiny-llama', name), join(model, name));
  const weights = randomWeights(config);
  const specs = weightTable(config).all;
  const file = openForPieces(join(model, 'model.safetensors'));
  file.write(safetensorsHeader(specs.map(({ name, shape: lengths }) => ({ name, type: 'BF16', shape: lengths }))));
  for (const { name, shape: lengths } of specs) {
    const [rows, width = 1] = lengths as [number, number?];
    for (let row = 0; row < rows; row += 512) {
      const values = new Float32Array(width * Math.min(512, rows - row));
      weights.readRows(name, row, values);
      file.write(encodeTensor('BF16', values));
    }
  }
  file.close();
  const lora = { r: 16, alpha: 32, layers: null, useRslora: false, targetModules: linearNames };
  const { parameters } = initialLoraState(config, lora, 1);
  // What training leaves in B, which begins as zeros.
  parameters.forEach(({ data }, name) => name.includes('lora_B') && data.forEach((_, i) => (data[i] = 0.001 * Math.sin(i))));
  writeAdapterFolder(adapter, { lora, baseModel: model, parameters }, 0);
}

async function run(to: ExportTarget, dtype: ExportDType): Promise<void> {
  const out = join(folder, to === 'merged' || to === 'peft' ? 'out' : 'out.gguf');
  const started = performance.now();
  let writingEnded = started;
  const report = ({ stage }: { stage: string }): void => {
    if (stage === 'writing') writingEnded = performance.now();
  };
  const result = await exportModel({ model, adapter, to, dtype, strength: 1, out }, report, new AbortController().signal);
  result.files.forEach((file) => rmSync(file));
  rmSync(out, { recursive: true, force: true });
  const seconds = (from: number, end: number): number => Math.round((end - from) / 100) / 10;
  console.log(
    JSON.stringify({
      to,
      dtype,
      size_bytes: result.sizeBytes,
      writing_seconds: seconds(started, writingEnded),
      checking_seconds: seconds(writingEnded, performance.now()),
      peak_rss_bytes: peakMemoryBytes(),
      parity: result.parity,
    }),
  );
}

if (command === 'make') make(rest[0]!);
else void run(rest[0] as ExportTarget, rest[1] as ExportDType);
