/**
 * What a training step consists of (SmolLM2-135M shape, rank 8, all seven linears, 2 × 256 tokens, every token a label): how many
 * operations its programs start, on the CPU and on a GPU, and what share of the CPU's time their matrix products alone would
 * take. ONNX Runtime's profiler cannot tell: its records take up memory that the run would use, and slow the run down.
 *   npx tsx bench/products.ts [--threads 1] [--rounds 12] [--form BF16]
 */
import { parseArgs } from 'node:util';
import { GraphBuilder } from '../src/core/graph/builder.js';
import { optimize } from '../src/core/graph/fuse.js';
import { isOp, makeProgram, rebuilt, valuesOf } from '../src/core/graph/program.js';
import type { DeviceKind, Program, Value } from '../src/core/graph/types.js';
import type { MatrixForm } from '../src/core/models/frozenMatrix.js';
import { formsOfLinears } from '../src/core/models/linear.js';
import { linearNames } from '../src/core/models/linears.js';
import { elementCount } from '../src/core/shape.js';
import { BlockGraph, clipProgram, updateProgram } from '../src/core/train/programs.js';
import { headSliceProgram, vocabularySlices } from '../src/core/train/vocabularyPrograms.js';
import { CpuDevice } from '../src/runtime/cpuDevice.js';
import { hostArray, type DeviceTensor } from '../src/runtime/device.js';
import { median } from './median.mjs';
import { smolLm2 as config } from './shapes.js';

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '12' },
    form: { type: 'string', default: 'BF16' },
  },
});
const form = options.form as MatrixForm;
const batch = { batchSize: 2, sequenceLength: 256 };
const tokens = batch.batchSize * batch.sequenceLength;
const lora = { r: 8, alpha: 16, useRslora: false, targetModules: linearNames, layers: null };

/** The optimized programs of a step, except for its beginning and end, with how often each runs. */
function programsOfStep(device: DeviceKind): { program: Program; runs: number }[] {
  const block = new BlockGraph({
    config,
    shape: batch,
    attentionKind: 0,
    device,
    forms: formsOfLinears(() => form),
    lora,
    dropout: 0,
  });
  const slices = vocabularySlices(config, device);
  const ofLayer = [block.forward(true), block.backward(true, true), updateProgram(config, lora)];
  return [
    ...ofLayer.map((program) => ({ program: optimize(program), runs: config.layerCount })),
    { program: optimize(clipProgram(config, lora)), runs: 1 },
    {
      program: optimize(headSliceProgram(config, tokens, slices[0]!.rows, form, true)),
      runs: slices.length,
    },
  ];
}

/** Operations that take no time themselves. */
const free = new Set(['input', 'constant', 'reshape', 'inverseRms']);

function operations(program: Program): Value[] {
  return valuesOf(program).filter(({ op }) => !free.has(op));
}

function isProduct(value: Value): boolean {
  return isOp(value, 'matmul') || isOp(value, 'gemm') || isOp(value, 'integerProduct');
}

/**
 * The products of a program, side by side. Products of the same shape share inputs, which are then in the cache as they would be
 * in the step.
 */
function productsOf(program: Program): Program {
  const b = new GraphBuilder();
  const seen = new Map<string, number>();
  const outputs = operations(program)
    .filter(isProduct)
    .map((product, index): [string, Value] => {
      const kind = JSON.stringify([product.op, product.attributes, product.inputs.map(({ shape }) => shape)]);
      const earlier = seen.get(kind) ?? 0;
      seen.set(kind, earlier + 1);
      const operands = product.inputs.map(({ shape, dtype }, place) =>
        b.input(`${dtype} ${shape}${place === 0 ? ` ${earlier}` : ''}`, shape, dtype),
      );
      return [`product ${index}`, rebuilt(b, product, operands)];
    });
  return makeProgram('products', Object.fromEntries(outputs));
}

async function main(): Promise<void> {
  const [ofCpu, ofGpu] = [programsOfStep('cpu'), programsOfStep('webgpu')];
  console.log('| operations of | on the CPU | on a GPU |\n| --- | ---: | ---: |');
  ofCpu.forEach(({ program }, i) =>
    console.log(`| ${program.name} | ${operations(program).length} | ${operations(ofGpu[i]!.program).length} |`),
  );
  const ofStep = (programs: typeof ofCpu): number =>
    programs.reduce((sum, { program, runs }) => sum + runs * operations(program).length, 0);
  console.log(`| a step | ${ofStep(ofCpu)} | ${ofStep(ofGpu)} |\n`);

  const device = new CpuDevice(Number(options.threads));
  console.log(
    `| milliseconds of a step, ${device.description}, weights in ${form} | all | products alone | share of the rest |\n| --- | ---: | ---: | ---: |`,
  );
  const total = { all: 0, products: 0 };
  const row = (name: string, all: number, products: number): void =>
    console.log(`| ${name} | ${all.toFixed(0)} | ${products.toFixed(0)} | ${(100 * (1 - products / all)).toFixed(1)} % |`);
  for (const { program, runs } of ofCpu) {
    const products = productsOf(program);
    const timers = [await timed(device, program), ...(products.outputs.size > 0 ? [await timed(device, products)] : [])];
    const times: number[][] = timers.map(() => []);
    for (let round = 0; round < Number(options.rounds); round++)
      for (const [i, time] of timers.entries()) times[i]!.push(await time());
    const [all, alone] = [runs * median(times[0]!), runs * (times[1] ? median(times[1]) : 0)];
    row(program.name, all, alone);
    total.all += all;
    total.products += alone;
  }
  row('a step', total.all, total.products);
}

/** Compiles an optimized program. The function it returns runs it on made-up numbers and returns the milliseconds taken. */
async function timed(device: CpuDevice, program: Program): Promise<() => Promise<number>> {
  const executable = await device.compile(program);
  const inputs = new Map<string, DeviceTensor>();
  for (const [name, { dtype, shape }] of program.inputs) {
    const data = hostArray(dtype, elementCount(shape));
    if (data instanceof Float32Array) data.forEach((_, i) => (data[i] = ((i * 37) % 101) / 1e4));
    if (data instanceof Uint16Array) data.fill(0x3c12); // about 0.009 in bfloat16
    inputs.set(name, await device.upload(dtype, shape, data));
  }
  const run = async (): Promise<number> => {
    const started = performance.now();
    const results = await executable.run(inputs);
    const milliseconds = performance.now() - started;
    results.forEach((tensor) => device.release(tensor));
    return milliseconds;
  };
  await run();
  return run;
}

void main();
