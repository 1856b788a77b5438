/**
 * Trains runs that differ in their rank one after the other in this process, as the queue does. Prints one line of JSON for each run.
 * Run by sharing.mjs. Arguments: MODEL FOLDER STEPS THREADS RANK… (the runs are made in FOLDER)
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMetrics } from '../src/runs/metricsFile.js';
import { parseRunConfig } from '../src/runs/runConfigFile.js';
import { RunDirectory } from '../src/runs/runDirectory.js';
import { RunLoader } from '../src/runs/runLoader.js';
import { trainRun } from '../src/runs/trainRun.js';

const [model, folder, steps, threads, ...ranks] = process.argv.slice(2) as [string, string, string, string, ...string[]];

const settings = (rank: string) => ({
  model,
  data: { path: 'examples/settings.jsonl', max_seq_length: 256, eval_fraction: 0 },
  lora: { r: Number(rank) },
  train: { max_steps: Number(steps), batch_size: 2, sample_prompts: 0, save_steps: Number(steps), logging_steps: 1 },
  engine: { device: 'cpu', base_dtype: 'int8', threads: Number(threads) },
});

async function main(): Promise<void> {
  const loader = new RunLoader();
  for (const [index, rank] of ranks.entries()) {
    const config = parseRunConfig(JSON.stringify(settings(rank)), 'run.json');
    const run = RunDirectory.create(join(folder, `run-${index}`), config);
    const start = performance.now();
    let prepared = start;
    await trainRun(run, {
      async prepare(...request) {
        const loaded = await loader.prepare(...request);
        prepared = performance.now();
        return loaded;
      },
    });
    const peaks = readMetrics(run.metricsPath).map((metric) => ('loss' in metric ? metric.peak_memory_bytes : 0));
    const adapter = readFileSync(join(run.adapterPath, 'adapter_model.safetensors'));
    const result = {
      rank: Number(rank),
      prepare_seconds: (prepared - start) / 1000,
      seconds: (performance.now() - start) / 1000,
      peak_bytes: Math.max(...peaks),
      rss_bytes: process.memoryUsage.rss(),
      adapter: createHash('sha256').update(adapter).digest('hex'),
    };
    console.log(JSON.stringify(result));
  }
  await loader.dispose();
}

void main();
