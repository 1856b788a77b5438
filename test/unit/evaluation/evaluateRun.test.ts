/** A run of the tiny model on source code, evaluated from beginning to end. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { evaluateRun } from '../../../src/evaluation/evaluateRun.js';
import { latestReport } from '../../../src/evaluation/evaluationFolder.js';
import type { CompletionReport } from '../../../src/protocol/completionReport.js';
import type { EvaluateCompletionProgress } from '../../../src/protocol/evaluateCompletion.js';
import { validateRunConfig } from '../../../src/protocol/validateRunConfig.js';
import { prepareRun } from '../../../src/runs/prepareRun.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { writeWorkspaceManifest } from '../../../src/runs/workspaceManifest.js';
import { writeCodeModel } from '../codeModel.js';

const root = mkdtempSync(join(tmpdir(), 'evaluate-run-'));
afterAll(() => rmSync(root, { recursive: true }));
const at = (...parts: string[]) => join(root, ...parts);
const never = new AbortController().signal;
const engine = { device: 'cpu', threads: 1 } as const;
const request = {
  run: at('run'),
  control: null,
  trainControlOn: null,
  adapters: [],
  files: null,
  positions: 6,
  seed: 5,
  mode: 'auto',
  fillInTheMiddle: 'auto',
  maxNewTokens: 12,
  adapterStrength: 1,
  retrieval: false,
} as const;

function write(path: string, text: string): void {
  mkdirSync(join(at(path), '..'), { recursive: true });
  writeFileSync(at(path), text);
}

function about(name: string): string {
  const lines = [`class ${name}:`, `    def read_${name}(self, other):`, `        if self.${name} < other.${name}:`];
  return [...lines, `            raise Mismatch("${name}", self.${name})`, `        return join(self.${name}, other)`, ''].join(
    '\n',
  );
}

beforeAll(async () => {
  for (const name of ['width', 'height', 'depth', 'weight']) write(`train/${name}.py`, about(name));
  for (const name of ['price', 'level']) write(`held/${name}.py`, `import ${name}s\n\n\n${about(name).replaceAll('self', name)}`);
  write('held/copied.py', about('depth').replaceAll('    ', '\t'));
  write('unrelated/notes.py', 'for index in range(10):\n    print(index, end=" ")\n');
  const checked = validateRunConfig({
    model: resolve('test/fixtures/models/tiny-llama'),
    data: { path: at('train'), format: 'code', eval_path: at('held'), max_seq_length: 64 },
    lora: { r: 4, alpha: 8, target_modules: ['q_proj', 'v_proj'] },
    train: { max_steps: 3, batch_size: 2, learning_rate: 1e-2, sample_prompts: 0 },
    engine: { threads: 1 },
  });
  if (!checked.ok) throw new Error(JSON.stringify(checked));
  await trainRun(RunDirectory.create(at('run'), checked.config), { prepare: prepareRun });
});

/** Everything but what the clock says. */
function numbers({ createdAt: _, arms, ...rest }: CompletionReport) {
  return { ...rest, arms: arms.map(({ latencyMs: _, ...arm }) => arm) };
}

test('the control is trained as long as the run and kept, and the same seed gives the same numbers', async () => {
  const stages: string[] = [];
  const note = ({ stage, done, total }: EvaluateCompletionProgress) => stages.push(`${stage} ${done}/${total}`);
  const asked = { ...request, trainControlOn: at('unrelated') };
  const first = evaluateRun(asked, engine, note, never);
  await vi.waitFor(() => expect(stages.at(-1)).toMatch(/^completing/), { timeout: 20_000, interval: 1 });
  await expect(evaluateRun(request, engine, note, never)).rejects.toThrow(/same evaluation is running already/);
  const { report, reportPath } = await first;
  expect(stages).toContain('trainingControl 3/3');
  expect(stages.at(-1)).toBe('completing 18/18');
  expect(report.arms.map(({ role }) => role)).toEqual(['base', 'control', 'adapter']);
  expect(report.cases).toHaveLength(6);
  expect(latestReport(at('run'))).toEqual(report);

  const results = join(reportPath, '../results.jsonl');
  const before = readFileSync(results, 'utf8');
  const { report: continued } = await evaluateRun(request, engine, () => expect.unreachable(), never);
  expect(readFileSync(results, 'utf8')).toBe(before);
  expect(numbers(continued)).toEqual(numbers(report));
  rmSync(at('run/evaluations'), { recursive: true });
  const { report: again } = await evaluateRun(request, engine, () => undefined, never);
  expect(numbers(again)).toEqual(numbers(report));
});

test('a held-out file that is a copy of a trained one is told and not used', async () => {
  const { report } = await evaluateRun({ ...request, positions: 4 }, engine, () => undefined, never);
  expect(report.leaked).toEqual([{ path: at('held/copied.py'), trainedOn: at('train/depth.py'), share: 1 }]);
  expect(new Set(report.cases.map(({ file }) => file))).toEqual(new Set(['level.py', 'price.py']));
  const trained = evaluateRun({ ...request, files: at('train') }, engine, () => undefined, never);
  await expect(trained).rejects.toThrow(/was trained on everything that could be evaluated/);
});

test('of a run on a workspace, the files that its manifest holds out are used, and told to the model by their paths', async () => {
  cpSync(at('run'), at('other'), { recursive: true });
  const file = (path: string, part: 'train' | 'heldout') => ({ path, sha256: '', bytes: 1, tokens: 1, part });
  const files = [file('train/depth.py', 'train'), file('held/price.py', 'heldout'), file('gone.py', 'heldout')];
  const about = { commit: null, seed: 1, heldOutBy: 'git', leftOut: [] } as const;
  writeWorkspaceManifest(at('other'), { root, repository: 'app', files, ...about });
  const { report } = await evaluateRun({ ...request, run: at('other'), adapters: [at('run')] }, engine, () => undefined, never);
  expect(new Set(report.cases.map(({ file }) => file))).toEqual(new Set(['held/price.py']));
  expect(report.arms.map(({ role }) => role)).toEqual(['base', 'control', 'adapter', 'other']);
});

test('with retrieval, base and adapter are also told the training files, and only a model that reads several files can be', async () => {
  const alone = evaluateRun({ ...request, retrieval: true }, engine, () => undefined, never);
  await expect(alone).rejects.toThrow(/has not learned to read several files/);

  cpSync(at('run'), at('coder'), { recursive: true });
  writeCodeModel(at('model'), ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>', '<|repo_name|>', '<|file_sep|>']);
  const config = JSON.parse(readFileSync(at('coder/run.json'), 'utf8')) as object;
  writeFileSync(at('coder/run.json'), JSON.stringify({ ...config, model: at('model') }));
  const asked = { ...request, run: at('coder'), retrieval: true };
  const { report } = await evaluateRun(asked, engine, () => undefined, never);
  const [base, ...others] = report.arms.filter(({ role }) => role !== 'control');
  expect(others.map(({ name, role, context, adapter }) => [name, role, context, adapter === null])).toEqual([
    [others[0]!.name, 'adapter', 'cursor', false],
    ['base + retrieval', 'other', 'retrieved', true],
    [`${others[0]!.name} + retrieval`, 'other', 'retrieved', false],
  ]);
  const retrieved = others[1]!;
  expect(retrieved.scores.bitsPerByte).not.toBe(base!.scores.bitsPerByte);
  expect(retrieved.unrelatedBitsPerByte).toBe(base!.unrelatedBitsPerByte);
  expect(report.comparisons.map(({ against }) => report.arms[against]!.name)).toContain('base + retrieval');
  const { report: continued } = await evaluateRun(asked, engine, () => expect.unreachable(), never);
  expect(numbers(continued)).toEqual(numbers(report));
});
