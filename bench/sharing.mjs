// Measures what successive runs save by sharing data and base: the same runs on SmolLM2-135M, of several ranks, in one process and
// each in a process of its own, in turns. Prints a table; exits with 1 if an adapter differs.
//   node bench/sharing.mjs [--ranks 4,8,16,4] [--steps 4] [--threads 2] [--rounds 1] [--alone=false]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.mjs';
import { median } from './median.mjs';

const { values: options } = parseArgs({
  options: {
    ranks: { type: 'string', default: '4,8,16,4' },
    steps: { type: 'string', default: '4' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '1' },
    alone: { type: 'string', default: 'true' },
  },
});
const ranks = options.ranks.split(',');

await bundle('model', 'sharing');
const model = node('.cache/bench/model.cjs').trim();
if (!model) throw new Error('SmolLM2-135M-Instruct cannot be had here.');

const [shared, alone] = [[], []];
for (let round = 0; round < Number(options.rounds); round++) {
  shared.push(trained(ranks));
  if (options.alone === 'true') alone.push(ranks.map((rank) => trained([rank])));
}

console.log('rank  in one process: prepared  trained    peak  after it   alone: prepared  trained    peak');
ranks.forEach((rank, index) => {
  const of = (results, key) => median(results.map((result) => result[key]));
  const together = shared.map(({ runs }) => runs[index]);
  const single = alone.map((processes) => processes[index].runs[0]);
  const [a, b] = [together, single].map((results) =>
    results.length === 0
      ? ''
      : `${seconds(of(results, 'prepare_seconds'))} ${seconds(of(results, 'seconds'))} ${megabytes(of(results, 'peak_bytes'))}`,
  );
  console.log(`${rank.padStart(4)}            ${a}  ${megabytes(of(together, 'rss_bytes'))}      ${b}`);
});
if (alone.length > 0) {
  const together = median(shared.map(({ wall }) => wall));
  const apart = median(alone.map((processes) => processes.reduce((sum, { wall }) => sum + wall, 0)));
  console.log(
    `\n${ranks.length} runs of ${options.steps} steps: ${together.toFixed(1)} s in one process, ${apart.toFixed(1)} s in ${ranks.length}; ratio ${(together / apart).toFixed(3)}`,
  );
  console.log(
    `What is not training: ${(apart - together).toFixed(1)} s less, or ${((apart - together) / (ranks.length - 1)).toFixed(1)} s for every run but the first`,
  );
  const differs = shared.some(({ runs }, round) =>
    runs.some(({ adapter }, index) => adapter !== alone[round][index].runs[0].adapter),
  );
  console.log(differs ? 'THE ADAPTERS DIFFER.' : 'All adapters are the same, to the byte.');
  process.exitCode = differs ? 1 : 0;
}

/** Trains runs of the given ranks in one process; `wall` includes its start and its end. */
function trained(ranks) {
  const folder = mkdtempSync(join(tmpdir(), 'sharing-'));
  const start = performance.now();
  const output = node('.cache/bench/sharing.cjs', model, folder, options.steps, options.threads, ...ranks);
  const wall = (performance.now() - start) / 1000;
  rmSync(folder, { recursive: true });
  return {
    wall,
    runs: output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  };
}

function node(...args) {
  return execFileSync('node', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function seconds(value) {
  return `${value.toFixed(2).padStart(6)} s`;
}

function megabytes(value) {
  return `${(value / 1e6).toFixed(0).padStart(5)} MB`;
}
