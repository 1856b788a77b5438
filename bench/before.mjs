// What a change costs: compares this checkout with an earlier commit, in turns on one machine. Both use the current node_modules.
//   node bench/before.mjs COMMIT [--rounds 5] [--steps 5] [--threads 2] [--only training,packed,…]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.mjs';
import { printTable, runRound, summarize } from './contest.mjs';

const { values: options, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    only: { type: 'string' },
  },
  allowPositionals: true,
});
const [commit] = positionals;
if (!commit) throw new Error('Name the commit that this one is to be held against.');
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();

const folder = resolve('.cache/bench/before');
if (existsSync(folder)) git('worktree', 'remove', '--force', folder);
mkdirSync('.cache/bench', { recursive: true });
git('worktree', 'add', '--detach', folder, commit);
try {
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  const programs = ['train', 'generate', 'suggest', 'model'];
  await bundle(...programs);
  const bundling = `import('./bench/bundle.mjs').then(({ bundle }) => bundle(${programs.map((name) => `'${name}'`).join()}))`;
  execFileSync(process.execPath, ['-e', bundling], { cwd: folder, stdio: 'inherit' });
  const gguf = execFileSync(process.execPath, ['.cache/bench/model.cjs'], { encoding: 'utf8' }).trim();
  if (!gguf) throw new Error('SmolLM2-135M-Instruct cannot be had here.');
  console.log(
    `${cpus()[0].model}, ${options.threads} threads; now ${git('describe', '--always')}, before ${git('describe', '--always', commit)}`,
  );
  for (const [name, contest] of Object.entries(contests(gguf))) {
    if (options.only && !options.only.split(',').includes(name)) continue;
    const rounds = Array.from({ length: Number(options.rounds) }, (_, round) => runRound(contest, round));
    printTable(contest, summarize(contest, rounds), rounds.length);
  }
} finally {
  rmSync(join(folder, 'node_modules'), { force: true });
  git('worktree', 'remove', '--force', folder);
}

function contests(gguf) {
  const both = (program, ...args) => ({
    before: ['node', join(folder, '.cache/bench', `${program}.cjs`), '--threads', options.threads, ...args],
    now: ['node', resolve('.cache/bench', `${program}.cjs`), '--threads', options.threads, ...args],
  });
  const training = { reference: 'before', speed: 'tokens_per_second', wait: 'first_step_seconds' };
  const generation = { reference: 'before', speed: 'decode_tokens_per_second', wait: 'first_token_seconds' };
  const steps = ['--steps', options.steps];
  return {
    training: { title: 'Training in fp32', ...training, commands: both('train', ...steps) },
    packed: {
      title: 'Training on an int4 base, checkpointing',
      ...training,
      commands: both('train', ...steps, '--base-dtype', 'int4', '--gradient-checkpointing'),
    },
    generation: {
      title: 'Greedy decoding in int8',
      ...generation,
      commands: both('generate', '--model', gguf, '--dtype', 'int8'),
    },
    suggestion: {
      title: 'A suggestion',
      ...generation,
      wait: 'first_suggestion_seconds',
      commands: both('suggest', '--model', gguf),
    },
  };
}
