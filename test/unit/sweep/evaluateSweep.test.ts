/** Two runs of the tiny model on source code, and how well they complete it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { evaluateRun } from '../../../src/evaluation/evaluateRun.js';
import { parseRunConfig } from '../../../src/runs/runConfigFile.js';
import { prepareRun } from '../../../src/runs/prepareRun.js';
import { workQueue } from '../../../src/runs/queue/workQueue.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { createSweep } from '../../../src/sweep/createSweep.js';
import { evaluateSweep } from '../../../src/sweep/evaluateSweep.js';
import { readHeldOut } from '../../../src/sweep/heldOut.js';
import { queuedSweeps } from '../../../src/sweep/queuedSweeps.js';
import { sweepReport } from '../../../src/sweep/sweepReport.js';

const root = mkdtempSync(join(tmpdir(), 'evaluate-sweep-'));
afterAll(() => rmSync(root, { recursive: true }));
const { signal } = new AbortController();

test('finished adapters complete at the same places, and files are what losses are compared by', async () => {
  for (const name of ['width', 'height', 'depth', 'price', 'level']) {
    const folder = join(root, ['price', 'level'].includes(name) ? 'held' : 'train');
    mkdirSync(folder, { recursive: true });
    const lines = Array.from(
      { length: 12 },
      (_, index) => `def ${name}_${index}(self):\n    return self.${name}[${index}].value\n`,
    );
    writeFileSync(join(folder, `${name}.py`), lines.join('\n'));
  }
  const config = parseRunConfig(
    JSON.stringify({
      model: resolve('test/fixtures/models/tiny-llama'),
      data: { path: join(root, 'train'), format: 'code', eval_path: join(root, 'held'), max_seq_length: 64 },
      train: { max_steps: 3, batch_size: 2, learning_rate: 1e-2, sample_prompts: 0 },
      engine: { threads: 1, device: 'cpu' },
    }),
    join(root, 'run.json'),
  );
  const sweep = createSweep(root, { name: 'ranks', config, parameters: { 'lora.r': [1, 4] }, halving: null });
  const asked = { positions: 2, seed: 3, mode: 'auto', fillInTheMiddle: 'auto', maxNewTokens: 64, adapterStrength: 1 } as const;
  const engine = { device: 'cpu', threads: 1 } as const;
  await expect(evaluateSweep({ sweepId: sweep, ...asked }, engine, () => undefined, signal)).rejects.toThrow(
    /no run of this sweep has finished/,
  );

  await workQueue(root, {
    train: (run, leaveAfter) => trainRun(run, { prepare: prepareRun, fromQueue: true, leaveAfter }),
    sweeps: queuedSweeps(signal),
    note: () => undefined,
    signal,
  });
  const { report } = await evaluateSweep({ sweepId: sweep, ...asked }, engine, () => undefined, signal);
  const { rows, isOfCode } = sweepReport(sweep);
  expect(isOfCode).toBe(true);
  expect(report.arms.map(({ name }) => name)).toEqual(['base', 'r=1', 'r=4']);
  expect(rows.map(({ completion }) => completion)).toEqual(report.arms.slice(1).map(({ scores }) => scores));
  const best = { control: null, trainControlOn: null, adapters: [], files: null, retrieval: false };
  const request = { ...best, ...asked, run: rows[1]!.runId };
  const alone = await evaluateRun(request, engine, () => undefined, signal);
  expect(alone.report.arms.find(({ role }) => role === 'adapter')!.scores).toEqual(rows[1]!.completion);
  for (const { runId } of rows) expect(readHeldOut(runId)!.losses).toHaveLength(2);
}, 120_000);
