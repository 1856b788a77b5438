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
      const config: Record<string, object> = { data: { path: 'd' } };
      for (const [name, value] of asked(settings)) {
        const [section, key] = name.split('.') as [string, string];
        config[section] = { ...config[section], [key]: value };
      }
      expect(validateRunConfig({ model: 'm', ...config }), `${sentence}: ${settings}`).toMatchObject({ ok: true });
      expect(asked(settings).length, sentence).toBeGreaterThan(0);
    }
  });

  it('never asks twice, and holds out enough', () => {
    const sentences = [...training, ...heldOut].map(({ sentence }) => sentence.toLowerCase().replace(/\.$/, ''));
    expect(new Set(sentences).size).toBe(sentences.length);
    expect(heldOut.length).toBeGreaterThanOrEqual(50);
  });

  it('covers every value of every setting in training', () => {
    const trained = new Set(training.flatMap(({ settings }) => asked(settings)).map((setting) => JSON.stringify(setting)));
    for (const { section, key, choices } of settings)
      for (const { value } of choices) expect(trained).toContain(JSON.stringify([`${section}.${key}`, value]));
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

/** The dotted names of settings with their values. */
function asked(settings: string): [name: string, value: unknown][] {
  return Object.entries(JSON.parse(settings) as Record<string, unknown>);
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
