// LoRA training on this machine's GPU through WebGPU, compared in turns with the CPU and, if --python names a Python with PyTorch
// for CUDA and PEFT, with PEFT on CUDA. Prints a table; writes all figures to build/bench-gpu.json.
//   node bench/gpu.mjs [--rounds 3] [--steps 10] [--python /path/to/python]
// GPU memory is what nvidia-smi reports for the process (WebGPU) or PyTorch's own peak; it is not available for other GPUs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.mjs';
import { median } from './median.mjs';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, steps: { type: 'string', default: '10' }, python: { type: 'string' } },
});

const common = [
  '--steps',
  options.steps,
  '--threads',
  String(availableParallelism()),
  '--batch-size',
  '4',
  '--sequence-length',
  '512',
];
const ours = (...args) => ['node', '.cache/bench/train.cjs', ...common, ...args];
const peft = (...args) => [options.python, 'bench/peft_train.py', ...common, '--device', 'cuda', ...args];
const commands = {
  'CPU fp32': ours(),
  'WebGPU fp32': ours('--device', 'webgpu'),
  'WebGPU fp32, checkpointing': ours('--device', 'webgpu', '--gradient-checkpointing'),
  'WebGPU fp16 base': ours('--device', 'webgpu', '--base-dtype', 'fp16'),
  'WebGPU int4 base': ours('--device', 'webgpu', '--base-dtype', 'int4'),
  ...(options.python && { 'PEFT CUDA fp32': peft(), 'PEFT CUDA bf16': peft('--dtype', 'bf16') }),
};

await bundle('train');

const measured = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
for (let round = 1; round <= Number(options.rounds); round++) {
  for (const [name, command] of Object.entries(commands)) {
    process.stderr.write(`round ${round}: ${name} … `);
    const result = run(command);
    if (result) measured[name].push(result);
    process.stderr.write(result ? 'done\n' : 'left out\n');
  }
}

const gpu =
  spawnSync('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader'], { encoding: 'utf8' }).stdout?.trim() ??
  null;
console.log(`\nSmolLM2-135M shape, rank 8, all seven linears, 4 × 512 tokens. ${cpus()[0].model}; ${gpu ?? 'no nvidia-smi'}`);
console.log(
  '\n| | tokens/s | memory of the process | memory on the GPU | seconds to first step |\n| --- | ---: | ---: | ---: | ---: |',
);
for (const [name, results] of Object.entries(measured)) {
  if (results.length === 0) continue;
  const of = (key) => median(results.map((result) => result[key]));
  const mebibytes = (bytes) => (bytes ? `${(bytes / 2 ** 20).toFixed(0)} MiB` : '–');
  console.log(
    `| ${name} | ${of('tokens_per_second').toFixed(0)} | ${mebibytes(of('peak_rss_bytes'))} | ${mebibytes(of('gpu_memory_bytes'))} | ${of('first_step_seconds').toFixed(1)} |`,
  );
}
mkdirSync('build', { recursive: true });
writeFileSync('build/bench-gpu.json', `${JSON.stringify({ cpu: cpus()[0].model, gpu, measured }, null, 2)}\n`);
console.log('\nAll figures: build/bench-gpu.json');

/** Returns what a command printed last, or null after showing its error: a GPU may lack 16-bit floats. */
function run([program, ...args]) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
  process.stderr.write(`${stderr.trim().split('\n').at(-1)}\n`);
  return null;
}
