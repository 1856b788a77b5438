import { spawnSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FineTunePanel } from '../test/e2e/harness/fineTunePanel.js';
import { processesWith, processorSeconds } from '../test/e2e/harness/processorTime.js';
import { readState, TestBed, until } from '../test/e2e/harness/workspace.js';
import { readMetrics } from '../src/runs/metricsFile.js';
import { median } from './median.mjs';
import { startWithSmolLM2 } from './smolLM2Bed.js';

const rounds = Number(process.env['PANEL_ROUNDS'] ?? 3);
const steps = Number(process.env['PANEL_STEPS'] ?? 12);
const settings = {
  data: { format: 'alpaca', eval_fraction: 0, max_seq_length: 256 },
  lora: { r: 8, alpha: 16, dropout: 0 },
  train: { max_steps: steps, batch_size: 4, save_steps: 10_000, sample_prompts: 0 },
};

let bed: TestBed;
let model: string;
beforeAll(async () => {
  [bed, model] = await startWithSmolLM2();
});
afterAll(async () => {
  await bed?.stop();
});

test('the panel trains as fast as the command line', async () => {
  const data = bed.path('answers.jsonl');
  const config = join(bed.root, 'run.json');
  writeFileSync(config, JSON.stringify({ ...settings, model, data: { ...settings.data, path: data } }));
  const speeds = { panel: [] as number[], commandLine: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const [first, second] = round % 2 === 0 ? (['panel', 'commandLine'] as const) : (['commandLine', 'panel'] as const);
    for (const side of [first, second]) {
      const before = editorSeconds();
      const start = performance.now();
      const run = side === 'panel' ? await trainInPanel(config) : trainOnCommandLine(config, `round-${round}`);
      speeds[side].push(tokensPerSecond(run));
      if (side === 'panel') console.log(sharesOfACore(before, (performance.now() - start) / 1000));
      console.log(`${side}: ${speeds[side].at(-1)!.toFixed(0)} tokens/s`);
    }
  }
  const ratio = median(speeds.panel) / median(speeds.commandLine);
  console.log(`${cpus()[0]!.model}, ${cpus().length} threads; medians of ${rounds} rounds of ${steps} steps`);
  console.log(`panel ${median(speeds.panel).toFixed(0)}, command line ${median(speeds.commandLine).toFixed(0)} tokens/s`);
  console.log(`ratio ${ratio.toFixed(3)}`);
  expect(ratio).toBeGreaterThanOrEqual(0.95);
});

/** With the panel's plots and the monitor in sight. */
async function trainInPanel(config: string): Promise<string> {
  const { window } = bed;
  const known = new Set(bed.runs());
  const name = `bench-${known.size}.run.json`;
  copyFileSync(config, bed.path(name));
  await window.openFile(name);
  await window.command('LoRA Workbench: Open in Fine-Tune Panel');
  await window.command('LoRA Workbench: Open Training Monitor');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  await until('Start can be pressed', async () => panel.start.isEnabled());
  await panel.start.click();
  const run = await until('a run directory', () => bed.runs().find((path) => !known.has(path)));
  await until('the run has ended', () => readState(run).status === 'finished', 1_800_000);
  return run;
}

function trainOnCommandLine(config: string, name: string): string {
  const run = join(bed.root, name);
  const { status, stderr } = spawnSync(process.execPath, ['dist/cli.js', 'train', '--config', config, '--out', run], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return run;
}

/** Of the steps after the first two, in which memory is still being taken. */
function tokensPerSecond(run: string): number {
  const logged = readMetrics(join(run, 'metrics.jsonl')).filter((metric) => 'loss' in metric);
  return median(logged.slice(2).map(({ tokens_per_second }) => tokens_per_second));
}

/** Processor seconds so far of all that shows the panel, by what it is; the trainer is not among them. */
function editorSeconds(): ReadonlyMap<string, number> {
  const kinds = {
    'renderer (window and webviews)': ['chromium', '--type=renderer'],
    'graphics process': ['chromium', '--type=gpu-process'],
    'extension host': ['--type=extensionHost'],
    backend: ['dist/backend.js'],
    server: ['server-main.js'],
  };
  const sum = (pids: readonly number[]) => pids.reduce((seconds, pid) => seconds + (processorSeconds(pid) ?? 0), 0);
  return new Map(Object.entries(kinds).map(([kind, words]) => [kind, sum(processesWith(...words))]));
}

function sharesOfACore(before: ReadonlyMap<string, number>, seconds: number): string {
  const shares = [...editorSeconds()].map(
    ([kind, now]) => `${kind} ${((100 * (now - before.get(kind)!)) / seconds).toFixed(1)} %`,
  );
  return `  of a core: ${shares.join(', ')}`;
}
