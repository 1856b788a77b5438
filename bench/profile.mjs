// Where the time of a bench program goes, by operation, according to ONNX Runtime's own profiler.
//   node bench/profile.mjs train|generate|suggest [--rows 25] [--by scope] -- [options of that program, such as --threads 1]
// For each operation, prints the calls, milliseconds and share of ONNX Runtime's time; also the share that is not matrix
// products.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.mjs';

const ownArguments = process.argv.slice(2);
const end = ownArguments.includes('--') ? ownArguments.indexOf('--') : ownArguments.length;
const { values: options, positionals } = parseArgs({
  args: ownArguments.slice(0, end),
  allowPositionals: true,
  options: { rows: { type: 'string', default: '25' }, by: { type: 'string', default: 'operation' } },
});
const program = positionals[0] ?? 'train';
const products = new Set(['Gemm', 'MatMul', 'FusedMatMul', 'MatMulNBits', 'FusedGemm', 'MatMulIntegerToFloat']);

await bundle(program);

const require = createRequire(import.meta.url);
const { InferenceSession } = require('onnxruntime-node');
const folder = mkdtempSync(join(tmpdir(), 'profile-'));
const sessions = new Set();
let secondsInRuns = 0;
let sessionCount = 0;
const { create } = InferenceSession;
InferenceSession.create = async (model, given) => {
  const profileFilePrefix = join(folder, String(sessionCount++).padStart(4, '0'));
  const session = await create.call(InferenceSession, model, { ...given, enableProfiling: true, profileFilePrefix });
  const { run } = session;
  session.run = async (...feeds) => {
    const started = performance.now();
    try {
      return await run.apply(session, feeds);
    } finally {
      secondsInRuns += (performance.now() - started) / 1000; // a run on the CPU ends with an exception (src/runtime/cpuDevice.ts)
    }
  };
  sessions.add(session);
  const { release } = session;
  session.release = () => {
    finishProfile(session);
    return release.call(session);
  };
  return session;
};

process.argv = [process.argv[0], program, ...ownArguments.slice(end + 1)];
require(resolve(`.cache/bench/${program}.cjs`));

process.once('beforeExit', () => {
  sessions.forEach(finishProfile);
  const kernels = readdirSync(folder).flatMap((file) =>
    JSON.parse(readFileSync(join(folder, file), 'utf8')).filter(
      ({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'),
    ),
  );
  rmSync(folder, { recursive: true });
  report(kernels);
});

/** Its records are written now; a session that has been released could no longer do so. */
function finishProfile(session) {
  if (sessions.delete(session)) session.endProfiling();
}

function report(kernels) {
  const total = sum(kernels);
  const byName = new Map();
  for (const kernel of kernels) {
    const name = nameOf(kernel);
    if (!byName.has(name)) byName.set(name, []);
    byName.get(name).push(kernel);
  }
  const groups = [...byName]
    .map(([name, group]) => ({ name, calls: group.length, time: sum(group) }))
    .sort((a, b) => b.time - a.time);
  console.log(`\n| ${options.by} | calls | ms | share |\n| --- | ---: | ---: | ---: |`);
  for (const { name, calls, time } of groups.slice(0, Number(options.rows)))
    console.log(`| ${name} | ${calls} | ${(time / 1000).toFixed(1)} | ${percent(time / total)} |`);
  const rest = sum(kernels.filter(({ args }) => !products.has(args.op_name)));
  console.log(
    `\nNo matrix product: ${percent(rest / total)}. Of ${secondsInRuns.toFixed(2)} s in run(), ${percent(1 - total / 1e6 / secondsInRuns)} lie outside of operations.`,
  );
}

function nameOf({ name, args }) {
  if (options.by !== 'scope') return args.op_name;
  const shapes = args.input_type_shape.map((shape) => Object.values(shape)[0].join('×')).join(' ');
  return `${name.replace(/:\d+_kernel_time$/, '')} ${shapes}`;
}

function sum(events) {
  return events.reduce((time, { dur }) => time + dur, 0);
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
