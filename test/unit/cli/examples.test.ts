import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exampleFiles } from '../../../scripts/exampleData/files.js';
import { settings } from '../../../scripts/exampleData/settings.js';
import { verbs, type Side } from '../../../scripts/exampleData/wordings.js';
import { readQuestions } from '../../../src/cli/demo/question.js';
import { validateRunConfig } from '../../../src/protocol/validateRunConfig.js';
import { readRunConfig } from '../../../src/runs/runConfigFile.js';

const training = readQuestions('examples/settings.jsonl');
const heldOut = readQuestions('examples/settings-heldout.jsonl');

describe('the example data', () => {
  it.each([...exampleFiles()])('%s is what its generator writes', (name, text) => {
    expect(readFileSync(`examples/${name}`, 'utf8')).toBe(text);
  });

  it('asks only for settings that run.json has, with values it may have', () => {
    for (const { sentence, settings } of [...training, ...heldOut]) {
      const patch = JSON.parse(settings) as { data?: object };
      const result = validateRunConfig({ model: 'm', ...patch, data: { path: 'd', ...patch.data } });
      expect(result, `${sentence}: ${settings}`).toMatchObject({ ok: true });
      expect(Object.keys(patch).length, sentence).toBeGreaterThan(0);
    }
  });

  it('never asks twice, and holds out enough', () => {
    const sentences = [...training, ...heldOut].map(({ sentence }) => sentence.toLowerCase().replace(/\.$/, ''));
    expect(new Set(sentences).size).toBe(sentences.length);
    expect(heldOut.length).toBeGreaterThanOrEqual(50);
  });

  it('covers every value of every setting in training', () => {
    const asked = new Set(training.flatMap(({ settings }) => leaves(JSON.parse(settings) as Sections)));
    for (const { section, key, choices } of settings)
      for (const { value } of choices) expect(asked).toContain(`${section}.${key} ${JSON.stringify(value)}`);
  });

  it('words what it holds out as it never does in training', () => {
    const trained = new Set(requests('training'));
    expect(requests('heldOut').filter((request) => trained.has(request))).toEqual([]);
  });
});

it('examples/run.json is valid and points at the example data', () => {
  const config = readRunConfig('examples/run.json');
  expect(config.data.path).toMatch(/settings\.jsonl$/);
  expect(config.data.eval_path).toMatch(/settings-heldout\.jsonl$/);
});

type Sections = Record<string, Record<string, unknown>>;

function leaves(patch: Sections): string[] {
  return Object.entries(patch).flatMap(([section, values]) =>
    Object.entries(values).map(([key, value]) => `${section}.${key} ${JSON.stringify(value)}`),
  );
}

/** Every single request a side can make, with and without a verb before it. */
function requests(side: Side): string[] {
  return settings.flatMap(({ choices }) =>
    choices.flatMap(
      ({
        wording: {
          [side]: { things, orders },
        },
      }) => [...orders, ...things, ...things.flatMap((thing) => verbs[side].map((verb) => `${verb} ${thing}`))],
    ),
  );
}
