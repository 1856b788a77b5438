/**
 * @file Does an adapter trained on a code base complete it better? Trains on one with the settings of "Fine-Tune on This Workspace",
 * then a control for as long on eslint's sources, and compares both with the base at places in files that neither has seen. Prints
 * what was expected and taken, and the report. Whatever is interrupted is continued by the same command.
 *   npm run build && npx tsx bench/completion.ts --model SmolLM2 --code this        (or Qwen, and undici)
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchSmolLM2 } from '../src/files/fetch/smolLM2.js';
import { presets } from '../src/protocol/presets.js';
import { fetchQwenCoder } from './qwenCoderModel.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'SmolLM2' },
    code: { type: 'string', default: 'this' },
    tokens: { type: 'string' },
    positions: { type: 'string', default: '300' },
    /** Further settings, such as data.fim_format=teach; they name the run, too. */
    set: { type: 'string', multiple: true, default: [] },
    /** A run whose control was trained as long, and is used here too. */
    control: { type: 'string' },
    retrieval: { type: 'boolean', default: false },
  },
});
const folder = resolve('.cache/completion');
const run = resolve(
  folder,
  [values.model, values.code, values.tokens, ...values.set].filter(Boolean).join('-').replaceAll('/', '_'),
);

async function main(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(run)) {
    writeFileSync(`${run}.json`, JSON.stringify(await config(), null, 2));
    lora('train', '--config', `${run}.json`, '--out', run, ...values.set.flatMap((setting) => ['--set', setting]));
  } else lora('resume', run);
  const control = values.control
    ? ['--control', values.control]
    : ['--train-control', copied('eslint', 'node_modules/eslint/lib')];
  lora('evaluate-completion', run, ...control, '--positions', values.positions, ...(values.retrieval ? ['--retrieval'] : []));
}

async function config() {
  const { data, lora, train } = presets.find(({ id }) => id === 'code-completion')!.settings;
  const length = values.tokens && { max_tokens: Number(values.tokens) };
  return {
    model: await models[values.model as keyof typeof models](),
    // What tells how much a model has forgotten must not be learned.
    data: { ...data, ...length, path: codeBases[values.code as keyof typeof codeBases](), exclude: ['unrelatedText.ts'] },
    lora,
    train: { ...train, ...length },
  };
}

const models = {
  SmolLM2: async () => (await fetchSmolLM2({ say: console.error, progress: () => undefined }, new AbortController().signal))!,
  Qwen: fetchQwenCoder,
};

const codeBases = {
  this: cloned,
  undici: () => copied('undici', 'node_modules/undici/lib'),
};

/** With its history, so that the newest files can be held out; what is not committed is not in it. */
function cloned(): string {
  const target = resolve(folder, 'this');
  if (!existsSync(target)) spawnSync('git', ['clone', '--quiet', '.', target], { stdio: 'inherit' });
  return target;
}

/** A copy, because nothing is learned from a folder named node_modules. */
function copied(name: string, source: string): string {
  const target = resolve(folder, name);
  cpSync(source, target, { recursive: true, preserveTimestamps: true });
  return target;
}

function lora(...args: readonly string[]): void {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, ['dist/cli.js', ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  console.log(`\n${args[0]}: ${((performance.now() - start) / 60_000).toFixed(1)} minutes\n`);
}

void main();
