import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FineTunePanel } from '../test/e2e/harness/fineTunePanel.js';
import { processesWith, processorSeconds } from '../test/e2e/harness/processorTime.js';
import { readState, TestBed, until } from '../test/e2e/harness/workspace.js';
import { readMetrics } from '../src/runs/metricsFile.js';
import type { StepMetric } from '../src/protocol/run.js';
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
      const run = side === 'panel' ? await trainInPanel(config) : await trainOnCommandLine(config, `round-${round}`);
      speeds[side].push(tokensPerSecond(run));
      console.log(`${side}: ${speeds[side].at(-1)!.toFixed(0)} tokens/s`);
    }
  }
  const ratio = median(speeds.panel) / median(speeds.commandLine);
  console.log(`${cpus()[0]!.model}, ${cpus().length} threads; medians of ${rounds} rounds of ${steps} steps`);
  console.log(`panel ${median(speeds.panel).toFixed(0)}, command line ${median(speeds.commandLine).toFixed(0)} tokens/s`);
  console.log(`ratio ${ratio.toFixed(3)}`);
  expect(ratio).toBeGreaterThanOrEqual(0.95);
});

/** Trains with the panel's plots and the monitor in view. */
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
  await watch(run);
  return run;
}

async function trainOnCommandLine(config: string, name: string): Promise<string> {
  const run = join(bed.root, name);
  const child = spawn(process.execPath, ['dist/cli.js', 'train', '--config', config, '--out', run], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  await watch(run);
  await ended;
  return run;
}

/** Waits for a run to end, and prints where the processor time went meanwhile. */
async function watch(run: string): Promise<void> {
  await until('training goes on', () => existsSync(join(run, 'metrics.jsonl')) && stepsOf(run).length >= 2, 600_000);
  const before = processorTimes();
  const start = performance.now();
  // While all processes are still there to be asked.
  await until('the last step', () => stepsOf(run).length >= steps, 1_800_000);
  const seconds = (performance.now() - start) / 1000;
  const shares = [...processorTimes()].map(
    ([kind, now]) => `${kind} ${((100 * (now - before.get(kind)!)) / seconds).toFixed(0)}`,
  );
  console.log(`  % of a core: ${shares.join(', ')}`);
  await until('the run has ended', () => readState(run).status === 'finished', 600_000);
}

/** Leaves out the first two steps, which still allocate memory. */
function tokensPerSecond(run: string): number {
  return median(
    stepsOf(run)
      .slice(2)
      .map(({ tokens_per_second }) => tokens_per_second),
  );
}

function stepsOf(run: string): readonly StepMetric[] {
  return readMetrics(join(run, 'metrics.jsonl')).filter((metric) => 'loss' in metric);
}

/** Processor seconds used so far by the run and by everything that shows it; `others` is what the machine's other guests took. */
function processorTimes(): ReadonlyMap<string, number> {
  const kinds = {
    trainer: ['cli.js resume'],
    'command line': ['dist/cli.js train'],
    'window and webviews': ['chromium', '--type=renderer'],
    'graphics process': ['chromium', '--type=gpu-process'],
    'extension host': ['--type=extensionHost'],
    backend: ['dist/backend.js'],
    server: ['server-main.js'],
  };
  const sum = (pids: readonly number[]) => pids.reduce((seconds, pid) => seconds + (processorSeconds(pid) ?? 0), 0);
  const ours = Object.entries(kinds).map(([kind, words]) => [kind, sum(processesWith(...words))] as const);
  return new Map([...ours, ['others', stolenSeconds()]]);
}

/** What a hypervisor gave to other guests (steal) while we could have run: the 8th number of the first line. */
function stolenSeconds(): number {
  return Number(readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.trim().split(/\s+/)[8]) / 100;
}
