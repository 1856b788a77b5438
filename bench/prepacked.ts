/**
 * @file What a session takes to make and to run whose packed weights ONNX Runtime has saved to a file, which it maps: 20 products of
 * one row with a matrix of 8 bits [896, 4864], on one thread, each case in a process of its own.
 *   npx tsx bench/prepacked.ts
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphBuilder } from '../src/core/graph/builder.js';
import { optimize } from '../src/core/graph/fuse.js';
import { lowerToOnnx } from '../src/core/graph/lower.js';
import { makeProgram } from '../src/core/graph/program.js';
import type { Value } from '../src/core/graph/types.js';

const [inFeatures, outFeatures, products, blockSize] = [896, 4864, 20, 32];
const options = { executionProviders: ['cpu'], intraOpNumThreads: 1, enableCpuMemArena: false, enableMemPattern: false };
const saving = {
  optimized_model_external_initializers_file_name: 'weights.bin',
  optimized_model_external_initializers_min_size_in_bytes: '1024',
  save_external_prepacked_constant_initializers: '1',
};

async function main([, , how, folder]: readonly string[]): Promise<void> {
  if (how !== undefined) return measure(how, folder!);
  const kept = mkdtempSync(join(tmpdir(), 'prepacked-'));
  for (const each of ['made', 'saved', 'mapped'])
    spawnSync(process.execPath, [...process.execArgv, process.argv[1]!, each, kept], { stdio: 'inherit' });
  rmSync(kept, { recursive: true });
}

async function measure(how: string, folder: string): Promise<void> {
  const path = join(folder, 'model.onnx');
  const start = performance.now();
  const session =
    how === 'mapped'
      ? await InferenceSession.create(path, { ...options, graphOptimizationLevel: 'disabled' })
      : await InferenceSession.create(
          model(),
          how === 'saved' ? { ...options, optimizedModelFilePath: path, extra: { session: saving } } : options,
        );
  const made = performance.now() - start;
  const x = new Tensor('float32', new Float32Array(inFeatures).fill(0.5), [1, inFeatures]);
  const times = [];
  for (let round = 0; round < 20; round++) {
    const began = performance.now();
    await session.run({ x });
    times.push(performance.now() - began);
  }
  const milliseconds = times.sort((a, b) => a - b)[5]!;
  const peak = process.resourceUsage().maxRSS / 1024;
  const onDisk = how === 'saved' ? `, ${megabytes(statSync(join(folder, 'weights.bin')).size)} on disk` : '';
  console.log(`${how}: ${made.toFixed(0)} ms, a run ${milliseconds.toFixed(1)} ms, peak ${peak.toFixed(0)} MiB${onDisk}`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

function model(): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', [1, inFeatures]);
  const blocks = inFeatures / blockSize;
  const constants = new Map<string, Uint8Array>();
  let sum: Value | undefined;
  for (let product = 0; product < products; product++) {
    const codes = b.input(`codes.${product}`, [outFeatures, blocks, blockSize], 'uint8');
    const scales = b.input(`scales.${product}`, [outFeatures * blocks]);
    constants.set(
      `codes.${product}`,
      new Uint8Array(outFeatures * inFeatures).map((_, index) => (index * 7919 + product) % 256),
    );
    constants.set(`scales.${product}`, new Uint8Array(new Float32Array(outFeatures * blocks).fill(0.01).buffer));
    const y = b.quantizedMatmul(x, [codes, scales], { outFeatures, inFeatures, bits: 8, blockSize });
    sum = sum ? b.add(sum, y) : y;
  }
  const target = { fusedMatMul: true, inverseRms: true, endsRun: false };
  return lowerToOnnx(optimize(makeProgram('products', { sum: sum! })), target, constants);
}

void main(process.argv);
