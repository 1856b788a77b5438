// `npm run bench`: compares this project with PEFT, transformers and llama.cpp, in turns on one machine, so that other load
// affects all of them alike. Prints tables; writes all figures to build/bench.json.
//   node bench/run.mjs [--rounds 3] [--steps 5] [--threads 2] [--only training,generation,…]   (names: bench/contests.mjs)
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.mjs';
import { printTable, runRound, summarize } from './contest.mjs';
import { contests } from './contests.mjs';
import { installLlamaCpp } from '../test/judge/llamaCpp.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    only: { type: 'string' },
  },
});

const output = (program, ...args) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();

const python = output('node', 'test/judge/setup.mjs');
await bundle('train', 'generate', 'suggest', 'model');
const gguf = output('node', '.cache/bench/model.cjs') || null;
if (gguf) installLlamaCpp();
else console.error('SmolLM2-135M-Instruct cannot be had here: the contests with llama.cpp are left out.');

const chosen = options.only?.split(',');
const report = {
  machine: { cpu: cpus()[0].model, cores: cpus().length, memoryBytes: totalmem(), threads: Number(options.threads) },
};
for (const [name, contest] of Object.entries(contests({ python, gguf, threads: options.threads, steps: options.steps }))) {
  if (chosen && !chosen.includes(name)) continue;
  const rounds = [];
  for (let round = 0; round < Number(options.rounds); round++) rounds.push(runRound(contest, round));
  report[name] = summarize(contest, rounds);
  printTable(contest, report[name], rounds.length);
}
mkdirSync('build', { recursive: true });
writeFileSync('build/bench.json', `${JSON.stringify(report, null, 2)}\n`);
console.log('\nAll figures: build/bench.json');
