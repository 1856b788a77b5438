// Runs the programs of a contest (contests.mjs) in turns and prints the results.
import { execFileSync } from 'node:child_process';
import { median } from './median.mjs';

/** Runs every command once, in reverse order every other round; returns what each printed, by its name. */
export function runRound({ commands }, round) {
  const entries = Object.entries(commands);
  const printed = (round % 2 === 0 ? entries : entries.toReversed()).map(([name, [program, ...args]]) => {
    process.stderr.write(`round ${round + 1}: ${name} … `);
    const text = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    process.stderr.write('done\n');
    return [name, JSON.parse(text.trim().split('\n').at(-1))];
  });
  return Object.fromEntries(printed);
}

/** Takes the median over the rounds; each round's ratio is relative to the reference of the same round. */
export function summarize({ commands, reference, speed, wait }, rounds) {
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

export function printTable({ title, reference }, rows, rounds) {
  console.log(`\n${title}. × is the ratio to ${reference} of the same round, median of ${rounds}`);
  console.log('\n| | tokens/s | × | peak memory | × | seconds to first |\n| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const row of rows) {
    console.log(
      `| ${row.name} | ${row.tokensPerSecond.toFixed(row.tokensPerSecond < 20 ? 1 : 0)} | ${row.speedRatio.toFixed(2)} | ${(row.peakBytes / 2 ** 20).toFixed(0)} MiB | ${row.memoryRatio.toFixed(2)} | ${row.secondsToFirst.toFixed(3)} |`,
    );
  }
}
