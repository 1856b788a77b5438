import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pairedDifference } from '../../../src/analysis/pairedDifference.js';
import type { BatchLoss } from '../../../src/core/train/stepRunner.js';
import type { SweepReport } from '../../../src/protocol/sweep.js';
import { sweepReport as isSweepReport } from '../../../src/protocol/sweepGuards.js';
import { readLastStep } from '../../../src/runs/metricsFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';

/** The program as shipped; built before the tests. */
const program = resolve('dist/cli.js');
let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as a script would. `when`: what to do, once each, as soon as stdout contains these texts. */
function lora(args: readonly string[], when: Readonly<Record<string, (end: () => void) => void>> = {}): Promise<Ended> {
  return new Promise((end) => {
    const env = { ...process.env, LORA_WORKBENCH_CACHE: at('cache') };
    const child = spawn(process.execPath, [program, ...args], { cwd: folder, env });
    let [stdout, stderr] = ['', ''];
    const waiting = new Map(Object.entries(when));
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
      for (const [text, act] of waiting) {
        if (!stdout.includes(text)) continue;
        waiting.delete(text);
        act(() => child.kill('SIGTERM'));
      }
    });
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('close', (code) => end({ code, stdout, stderr }));
  });
}

const json = <T>(path: string) => JSON.parse(readFileSync(path, 'utf8')) as T;
const adapter = (run: string) => readFileSync(at(run, 'adapter', 'adapter_model.safetensors')).toString('base64');
const reported = ({ stdout }: Ended) => JSON.parse(stdout) as SweepReport;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-workbench-sweep-'));
  const colors = ['It is blue.', 'It is red.', 'Green it is.'];
  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) =>
      JSON.stringify({ instruction: `Name color ${from + index}.`, output: colors[index % 3] }),
    ).join('\n');
  writeFileSync(at('data.jsonl'), rows(0, 30));
  writeFileSync(at('held-out.jsonl'), rows(100, 9));
  writeFileSync(
    at('run.json'),
    JSON.stringify({
      model: resolve('test/fixtures/models/tiny-llama'),
      data: { path: 'data.jsonl', eval_path: 'held-out.jsonl', max_seq_length: 96 },
      lora: { target_modules: ['q_proj', 'v_proj', 'up_proj'] },
      train: { max_steps: 8, batch_size: 2, learning_rate: 2e-2, eval_steps: 3, save_steps: 2, sample_prompts: 0 },
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a sweep over ranks', () => {
  const vary = ['--vary', 'lora.r=2,4,8'];
  const folder = join('some', 'ranks');
  let report: SweepReport;

  it('goes on by itself when its worker is killed, ends when told to, and goes on from there', async () => {
    const worker = () => json<{ pid: number }>(at('some', '.queue', 'lock', 'owner.json')).pid;
    const stopped = await lora(['sweep', '--config', 'run.json', ...vary, '--out', folder], {
      'r=2: 8': () => process.kill(worker(), 'SIGKILL'),
      'r=4: 8': (end) => end(),
    });
    expect(stopped).toMatchObject({ code: 130, stderr: '' });
    expect(stopped.stdout).toContain(`3 runs in ${folder}`);
    expect(stopped.stdout).toContain('Go on with: lora-workbench queue some');
    expect(await lora(['queue', 'some'])).toMatchObject({ code: 0, stderr: '' });
    report = reported(await lora(['sweep-report', folder, '--json']));
    expect(isSweepReport(report)).toBe(true);
    expect(report).toMatchObject({ isComplete: true, name: 'ranks', settings: ['lora.r'], rungs: [] });
    expect(report.rows.map(({ runId }) => runId)).toEqual(['r=2', 'r=4', 'r=8'].map((name) => at(folder, name)));
    await lora(['train', '--config', 'run.json', '--out', 'alone', '--set', 'lora.r=4']);
    expect(adapter(join(folder, 'r=4'))).toBe(adapter('alone'));
  }, 180_000);

  it('reports what its files say, and what evaluate measures', async () => {
    const losses = report.rows.map(({ runId }) => json<{ losses: BatchLoss[] }>(join(runId, 'held-out.json')).losses);
    const best = report.recommendation!.best;
    for (const [index, row] of report.rows.entries()) {
      const run = RunDirectory.open(row.runId);
      const last = readLastStep(run.metricsPath)!;
      expect(row).toMatchObject({
        status: 'finished',
        step: 8,
        totalSteps: 8,
        leftAtStep: null,
        trainableParameters: run.readState().trainableParameters,
        seconds: last.elapsed_seconds,
        peakMemoryBytes: last.peak_memory_bytes,
        tokensPerSecond: last.tokens / last.elapsed_seconds,
        completion: null,
      });
      expect(losses[index]).toHaveLength(9);
      expect(row.toBest).toEqual(pairedDifference(losses[best]!, losses[index]!));
      expect(row.heldOutLoss! - report.rows[best]!.heldOutLoss!).toBeCloseTo(row.toBest!.difference, 10);
    }
    expect(report.rows[2]!.trainableParameters).toBe(4 * report.rows[0]!.trainableParameters);
    expect(Math.min(...report.rows.map((row) => row.heldOutLoss!))).toBe(report.rows[best]!.heldOutLoss);

    const data = ['--data', 'held-out.jsonl', '--max-seq-length', '96', '--device', 'cpu', '--json'];
    const evaluate = ['evaluate', '--model', resolve('test/fixtures/models/tiny-llama'), ...data];
    const measured = async (...more: string[]) =>
      (JSON.parse((await lora([...evaluate, ...more])).stdout) as { loss: number }).loss;
    expect(report.baseLoss).toBeCloseTo(await measured(), 5);
    expect(report.rows[best]!.heldOutLoss).toBeCloseTo(
      await measured('--adapter', join(report.rows[best]!.runId, 'adapter-best')),
      5,
    );
  }, 120_000);

  it('tells which run to take, in words', async () => {
    const { stdout } = await lora(['sweep-report', folder]);
    const take = report.rows[report.recommendation!.take]!;
    expect(stdout).toMatch(/^ +steps +held-out loss +to the best +parameters/);
    expect(stdout).toContain(`  → ${take.name} `);
    expect(stdout).toMatch(/^ +base +\d\.\d{4}$/m);
    expect(stdout).toMatch(new RegExp(`^Take ${take.name}: it`, 'm'));
  });

  it('with halving, trains the best to its end, and says so', async () => {
    const halving = ['sweep', '--config', 'run.json', ...vary, '--halving', '3', '--out', join('some', 'halved')];
    const { code, stdout } = await lora(halving);
    expect(code).toBe(0);
    expect(stdout.match(/: left after 3,/g)).toHaveLength(2);
    expect(stdout).toMatch(/^Take r=\d: no other run was trained to its end\.$/m);
  }, 120_000);
});

describe('is refused in one sentence', () => {
  it.each<[string, string[], RegExp]>([
    ['no values', ['--vary', 'lora.r'], /--vary lora\.r: expected SETTING=VALUE,VALUE, such as lora\.r=4,8,16\./],
    ['a folder that is there', ['--vary', 'lora.r=2,4', '--out', '.'], /exists already: choose another folder\./],
  ])('%s', async (_, args, sentence) => {
    const { code, stdout, stderr } = await lora(['sweep', '--config', 'run.json', ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('a folder that is no sweep', async () => {
    const { code, stderr } = await lora(['sweep-report', '.']);
    expect(code).toBe(1);
    expect(stderr).toBe('error: . is not the folder of a sweep: it has no sweep.json.\n');
  });
});
