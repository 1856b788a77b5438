// `npm run bench`: this project beside PEFT and transformers on PyTorch, in turns on one machine, so that what else the machine
// does falls on both. Prints a table; writes all figures to build/bench.json.
//   node bench/run.mjs [--rounds 3] [--steps 5] [--only training|generation] [--threads 2]
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    only: { type: 'string' },
  },
});

const python = execFileSync('node', ['test/judge/setup.mjs'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
await build({
  entryPoints: ['bench/train.ts', 'bench/generate.ts'],
  bundle: true,
  platform: 'node',
  format: 'cjs',
  mainFields: ['module', 'main'],
  external: ['onnxruntime-node'],
  outdir: '.cache/bench',
  outExtension: { '.js': '.cjs' },
  logLevel: 'warning',
});

const threads = ['--threads', options.threads];
const steps = ['--steps', options.steps];
const contests = {
  training: {
    'ours fp32': ['node', '.cache/bench/train.cjs', ...steps, ...threads],
    'ours fp32, checkpointing': ['node', '.cache/bench/train.cjs', '--gradient-checkpointing', ...steps, ...threads],
    'ours fp16 base': ['node', '.cache/bench/train.cjs', '--base-dtype', 'fp16', ...steps, ...threads],
    'ours int4 base': ['node', '.cache/bench/train.cjs', '--base-dtype', 'int4', ...steps, ...threads],
    'PEFT fp32': [python, 'bench/peft_train.py', ...steps, ...threads],
    'PEFT bf16': [python, 'bench/peft_train.py', '--dtype', 'bf16', ...steps, ...threads],
  },
  generation: {
    'ours int8': ['node', '.cache/bench/generate.cjs', '--dtype', 'int8', ...threads],
    'ours int4': ['node', '.cache/bench/generate.cjs', '--dtype', 'int4', ...threads],
    'ours fp32': ['node', '.cache/bench/generate.cjs', '--dtype', 'fp32', ...threads],
    'transformers fp32': [python, 'bench/transformers_generate.py', ...threads],
  },
};
const reference = { training: 'PEFT fp32', generation: 'transformers fp32' };
const speed = { training: 'tokens_per_second', generation: 'decode_tokens_per_second' };
const wait = { training: 'first_step_seconds', generation: 'first_token_seconds' };

const report = { machine: { cpu: cpus()[0].model, cores: cpus().length, memoryBytes: totalmem(), threads: Number(options.threads) } };
for (const [contest, commands] of Object.entries(contests)) {
  if (options.only && options.only !== contest) continue;
  const rounds = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    rounds.push(Object.fromEntries(Object.entries(commands).map(([name, command]) => [name, measure(name, command, round)])));
  }
  report[contest] = summarize(contest, rounds);
  printTable(contest, report[contest]);
}
mkdirSync('build', { recursive: true });
writeFileSync('build/bench.json', `${JSON.stringify(report, null, 2)}\n`);
console.log('\nAll figures: build/bench.json');

function measure(name, [program, ...args], round) {
  process.stderr.write(`round ${round + 1}: ${name} … `);
  const output = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const result = JSON.parse(output.trim().split('\n').at(-1));
  process.stderr.write('done\n');
  return result;
}

/** The median over the rounds; each round's ratio is to the reference of the same round. */
function summarize(contest, rounds) {
  return Object.keys(rounds[0]).map((name) => {
    const of = (key) => median(rounds.map((round) => round[name][key]));
    const ratio = (key) => median(rounds.map((round) => round[name][key] / round[reference[contest]][key]));
    return {
      name,
      tokensPerSecond: of(speed[contest]),
      speedRatio: ratio(speed[contest]),
      peakBytes: of('peak_rss_bytes'),
      memoryRatio: ratio('peak_rss_bytes'),
      secondsToFirst: of(wait[contest]),
      rounds: rounds.map((round) => round[name]),
    };
  });
}

function printTable(contest, rows) {
  console.log(`\n${contest}: × is the ratio to ${reference[contest]} of the same round, median of ${options.rounds}`);
  console.log('| | tokens/s | × | peak memory | × | seconds to first |\n| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const row of rows) {
    console.log(
      `| ${row.name} | ${row.tokensPerSecond.toFixed(0)} | ${row.speedRatio.toFixed(2)} | ${(row.peakBytes / 2 ** 20).toFixed(0)} MiB | ${row.memoryRatio.toFixed(2)} | ${row.secondsToFirst.toFixed(2)} |`,
    );
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
