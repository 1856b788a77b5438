/** The whole evaluation, with completers whose scores are known: one that knows the truth, and one that is always wrong. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Completer } from '../../../src/evaluation/completer.js';
import { evaluateArms } from '../../../src/evaluation/evaluateArms.js';
import { findLeaks } from '../../../src/evaluation/leaks.js';
import { bytesOf } from '../../../src/evaluation/metrics/scores.js';
import { choosePositions, type SourceFile } from '../../../src/evaluation/positions.js';
import { ResultsFile } from '../../../src/evaluation/results.js';
import { summarize } from '../../../src/evaluation/summarize.js';
import { completionReport, type CompletionArm, type CompletionReport } from '../../../src/protocol/completionReport.js';
import { headlineOf } from '../../../src/protocol/evaluateCompletion.js';

const folder = mkdtempSync(join(tmpdir(), 'evaluation-'));
afterAll(() => rmSync(folder, { recursive: true }));

const paths = ['core/random', 'core/mutex', 'core/data/middles', 'core/data/batches', 'complete/pairs', 'complete/stopRules'];
const files: readonly SourceFile[] = paths.map((path) => {
  return { path: `/code/${path}.ts`, file: `${path}.ts`, repository: 'code', text: readFileSync(`src/${path}.ts`, 'utf8') };
});
const positions = choosePositions(files, 60, 3);
const arm = (name: string, role: CompletionArm['role']): CompletionArm => ({ name, role, adapter: null, context: 'cursor' });
const arms = [arm('base', 'base'), arm('broken', 'control'), arm('oracle', 'adapter')];

/** The base gives its first line when that is short; one bit a byte is what all but the oracle need. */
const completer: Completer = {
  suggest: async ({ middle }, { name }) => {
    if (name === 'oracle') return { text: middle, replaced: 0, endedBy: 'model' };
    const known = middle.length < 40 ? middle.split('\n')[0]! : '';
    return name === 'base' ? { text: known, replaced: 0, endedBy: 'rule' } : { text: '', replaced: 0, endedBy: null };
  },
  bits: async ({ middle }, { name }) => (name === 'oracle' ? 0 : 8 * bytesOf(middle)),
  bitsOfText: async (_, text) => bytesOf(text),
};
const never = new AbortController().signal;

async function evaluated(name: string, each: Completer = completer, signal = never) {
  const results = new ResultsFile(join(folder, name));
  const ending = evaluateArms({ positions, arms }, each, results, () => undefined, signal);
  await ending;
  return summarize({ positions, arms }, results.cases(), results.unrelated(), 3);
}

function reportOf(summary: Awaited<ReturnType<typeof evaluated>>): CompletionReport {
  const about = { run: 'r', model: 'm', engine: 'none', createdAt: '2026-01-01', seed: 3, leaked: [] };
  const report: unknown = JSON.parse(JSON.stringify({ ...about, ...summary }));
  if (!completionReport(report)) throw new Error('The report is none.');
  return report;
}

test('an oracle scores 100 % and a broken arm 0 %, and the difference is told', async () => {
  const report = reportOf(await evaluated('scores'));
  const [, broken, oracle] = report.arms;
  const perfect = { exactMatch: 1, firstLine: 1, editSimilarity: 1, identifierF1: 1, stopRate: 1, bitsPerByte: 0 };
  expect(oracle!.scores).toEqual({ ...perfect, fullLevenshtein: 0, optimalLevenshtein: 0 });
  expect(broken!.scores).toMatchObject({ exactMatch: 0, firstLine: 0, editSimilarity: 0, stopRate: 0, bitsPerByte: 8 });
  expect(oracle!.unrelatedBitsPerByte).toBe(1);
  expect(report.comparisons.map(({ against }) => report.arms[against]!.role)).toEqual(['control', 'base']);
  expect(report.comparisons[0]).toMatchObject({ onlyArm: positions.length, onlyAgainst: 0 });
  expect(report.comparisons[0]!.differences[0]).toEqual({ metric: 'exactMatch', difference: 1, low: 1, high: 1 });
  const clear = [
    { metric: 'editSimilarity', verdict: 'better' },
    { metric: 'bitsPerByte', verdict: 'better', difference: -8 },
  ];
  expect(headlineOf(report)).toMatchObject({ verdict: 'better', clear, against: 'control', isEnough: false });
  const base = report.arms[0]!;
  const exact = report.cases.filter(({ suggestions }) => suggestions[0]!.scores.exactMatch === 1).length;
  expect(base.scores.exactMatch).toBeCloseTo(exact / report.cases.length, 12);
  expect(base.byKind.reduce((sum, { positions: count, scores }) => sum + count * scores.exactMatch, 0)).toBeCloseTo(exact, 9);
});

test('an evaluation that ends early is continued, and gives the numbers of one that did not', async () => {
  const controller = new AbortController();
  let asked = 0;
  const interrupted: Completer = {
    ...completer,
    suggest: (...request) => {
      if (++asked === 20) controller.abort(new Error('enough'));
      return completer.suggest(...request);
    },
  };
  await expect(evaluated('continued', interrupted, controller.signal)).rejects.toThrow('enough');
  expect(new ResultsFile(join(folder, 'continued')).cases()).toHaveLength(19);
  const continued = await evaluated('continued', interrupted);
  expect(asked).toBe(positions.length * arms.length + 1);
  const whole = await evaluated('whole');
  const numbers = ({ arms: all, comparisons, cases }: typeof whole) => ({
    comparisons,
    cases,
    arms: all.map(({ latencyMs: _, ...rest }) => rest),
  });
  expect(numbers(continued)).toEqual(numbers(whole));
});

describe('files that were seen in training', () => {
  const renamed = files[2]!.text.replaceAll('bracket', 'brace').replaceAll('random', 'chance');
  const training = (text: string) => [
    { path: '/train/other.ts', text: files[4]!.text },
    { path: '/train/seen.ts', text },
  ];

  test('are found if they are copies', () => {
    const reformatted = files[0]!.text.replaceAll('  ', '\t');
    expect(findLeaks(files, training(reformatted))).toEqual([
      { path: files[0]!.path, trainedOn: '/train/seen.ts', share: 1 },
      { path: files[4]!.path, trainedOn: '/train/other.ts', share: 1 },
    ]);
  });

  test('are found if little was changed, but not if little is the same', () => {
    const [leak] = findLeaks([files[2]!], training(renamed));
    expect(leak).toMatchObject({ trainedOn: '/train/seen.ts' });
    expect(leak!.share).toBeGreaterThan(0.5);
    expect(leak!.share).toBeLessThan(1);
    const half = files[2]!.text.slice(0, files[2]!.text.length * 0.3);
    expect(findLeaks([files[2]!], training(half))).toEqual([]);
  });
});
