/**
 * @file What saved sessions change: loading a model and generating as ever, when its sessions are saved, and when they are mapped
 * (docs/decisions/0033). Each case is a process of its own; medians of some rounds in turns.
 *   npx tsx bench/savedSessions.ts --model FILE.gguf [--dtype stored|integers|int8|int4] [--rounds 3]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from './median.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    dtype: { type: 'string', default: 'stored' },
    rounds: { type: 'string', default: '3' },
  },
});

interface Measured {
  readonly load_seconds: number;
  readonly decode_tokens_per_second: number;
  readonly first_token_seconds: number;
  readonly peak_rss_bytes: number;
}

const measured: Record<string, Measured[]> = { 'made each time': [], saved: [], mapped: [] };
for (let round = 0; round < Number(values.rounds); round++) {
  const cache = mkdtempSync(join(tmpdir(), 'saved-sessions-'));
  for (const [name, results] of Object.entries(measured))
    results.push(generate(cache, name === 'made each time' ? ['--unsaved'] : []));
  rmSync(cache, { recursive: true });
}
console.log('| | to load | peak memory | first token | tokens/s |\n| --- | ---: | ---: | ---: | ---: |');
for (const [name, results] of Object.entries(measured)) {
  const of = (key: keyof Measured): number => median(results.map((result) => result[key]));
  const peak = `${(of('peak_rss_bytes') / 2 ** 20).toFixed(0)} MiB`;
  console.log(
    `| ${name} | ${of('load_seconds').toFixed(1)} s | ${peak} | ${of('first_token_seconds').toFixed(3)} s | ${of('decode_tokens_per_second').toFixed(0)} |`,
  );
}

function generate(cache: string, more: readonly string[]): Measured {
  const args = ['bench/generate.ts', '--model', values.model!, '--dtype', values.dtype, ...more];
  const { stdout, status } = spawnSync(process.execPath, [...process.execArgv, ...args], {
    env: { ...process.env, LORA_WORKBENCH_CACHE: cache },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`It ended with ${String(status)}.`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Measured;
}
