// `npm run bench`: this project beside PEFT, transformers and llama.cpp, in turns on one machine, so that what else the machine
// does falls on all. Prints tables; writes all figures to build/bench.json.
//   node bench/run.mjs [--rounds 3] [--steps 5] [--threads 2] [--only training,generation,…]   (names: bench/contests.mjs)
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.mjs';
import { contests } from './contests.mjs';
import { installLlamaCpp } from './llama_cpp.mjs';
import { median } from './median.mjs';

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
  printTable(contest, report[name]);
}
mkdirSync('build', { recursive: true });
writeFileSync('build/bench.json', `${JSON.stringify(report, null, 2)}\n`);
console.log('\nAll figures: build/bench.json');

function runRound({ commands }, round) {
  return Object.fromEntries(
    Object.entries(commands).map(([name, [program, ...args]]) => {
      process.stderr.write(`round ${round + 1}: ${name} … `);
      const printed = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      process.stderr.write('done\n');
      return [name, JSON.parse(printed.trim().split('\n').at(-1))];
    }),
  );
}

/** The median over the rounds; each round's ratio is to the reference of the same round. */
function summarize({ commands, reference, speed, wait }, rounds) {
  return Object.keys(commands).map((name) => {
    const of = (key) => median(rounds.map((round) => round[name][key]));
    const ratio = (key) => median(rounds.map((round) => round[name][key] / round[reference][key]));
    return {
      name,
      tokensPerSecond: of(speed),
      speedRatio: ratio(speed),
      peakBytes: of('peak_rss_bytes'),
      memoryRatio: ratio('peak_rss_bytes'),
      secondsToFirst: of(wait),
      rounds: rounds.map((round) => round[name]),
    };
  });
}

function printTable({ title, reference }, rows) {
  console.log(`\n${title}. × is the ratio to ${reference} of the same round, median of ${options.rounds}`);
  console.log('\n| | tokens/s | × | peak memory | × | seconds to first |\n| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const row of rows) {
    console.log(
      `| ${row.name} | ${row.tokensPerSecond.toFixed(row.tokensPerSecond < 20 ? 1 : 0)} | ${row.speedRatio.toFixed(2)} | ${(row.peakBytes / 2 ** 20).toFixed(0)} MiB | ${row.memoryRatio.toFixed(2)} | ${row.secondsToFirst.toFixed(3)} |`,
    );
  }
}
