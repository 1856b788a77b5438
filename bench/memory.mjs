// Compares the memory estimate with reality, in training runs of many kinds, each in a separate process. Prints a table; writes
// all figures to build/memory.json. Exits with 1 if an estimate is off by more than 15 %.
//   node bench/memory.mjs [--device webgpu] [--only TEXT]   (cases whose description contains it)
// For WebGPU (on Linux, with a C compiler), the estimate is judged by the memory that ONNX Runtime allocates on the device
// through Vulkan. What else the process holds is only shown: most of it is the driver's, above all the compiled programs of a
// software driver.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.mjs';
import { countingDriver } from './countingDriver.mjs';

const { values: options } = parseArgs({
  options: { device: { type: 'string', default: 'cpu' }, only: { type: 'string', default: '' } },
});
const tolerance = 0.15;

const usual = { baseDType: 'fp32', checkpointing: false, batchSize: 2, sequenceLength: 256, rank: 8 };
const dtypes = ['fp32', 'fp16', 'int8', 'int4'];
const cut = { layerCount: 4 };
const grouped = { ...cut, headCount: 16, keyValueHeadCount: 4, hiddenSize: 1024, intermediateSize: 2816, vocabSize: 32000 };
const untied = {
  ...cut,
  hiddenSize: 768,
  headCount: 12,
  keyValueHeadCount: 12,
  intermediateSize: 2048,
  vocabSize: 128256,
  tiedEmbeddings: false,
};

const small = { ...usual, device: 'webgpu', config: { layerCount: 2, vocabSize: 8192 }, sequenceLength: 64 };
const casesOnGpu = [
  {},
  { config: { layerCount: 6, vocabSize: 8192 } },
  { config: { layerCount: 2, vocabSize: 49152 } },
  { sequenceLength: 256 },
  { sequenceLength: 256, checkpointing: true },
  { rank: 64 },
  { config: { layerCount: 2, vocabSize: 49152 }, baseDType: 'int4' },
].map((changes) => ({ ...small, ...changes }));

const casesOnCpu = [
  ...dtypes.flatMap((baseDType) => [false, true].map((checkpointing) => ({ baseDType, checkpointing }))),
  ...[1, 4].flatMap((batchSize) => [128, 512].map((sequenceLength) => ({ batchSize, sequenceLength }))),
  { batchSize: 1, sequenceLength: 1024 },
  { batchSize: 4, sequenceLength: 1024, checkpointing: true },
  { batchSize: 4, sequenceLength: 512, checkpointing: true, baseDType: 'int4' },
  ...[false, true].map((checkpointing) => ({ rank: 64, checkpointing })),
  { rank: 64, checkpointing: true, baseDType: 'int4' },
  { dropout: 0.1, batchSize: 4 },
  ...[false, true].map((checkpointing) => ({ mixedLengths: true, batchSize: 4, checkpointing })),
  { streaming: true, checkpointing: true },
  { streaming: true, checkpointing: true, baseDType: 'int4' },
  ...dtypes.map((baseDType) => ({ config: grouped, baseDType, sequenceLength: 512 })),
  { config: grouped, checkpointing: true, sequenceLength: 1024 },
  ...dtypes.map((baseDType) => ({ config: untied, baseDType })),
  { config: untied, rank: 64, checkpointing: true, baseDType: 'int4' },
  ...[128, 512, 1024].map((sequenceLength) => ({ config: cut, sequenceLength })),
].map((changes) => ({ ...usual, ...changes }));

await bundle('memoryOf');

const isOnGpu = options.device === 'webgpu';
const driver = isOnGpu ? countingDriver() : null;
const results = [];
console.log(`${'case'.padEnd(64)} predicted  measured  ratio${isOnGpu ? '  of the host' : ''}`);
for (const one of isOnGpu ? casesOnGpu : casesOnCpu) {
  const name = describe(one);
  if (!name.includes(options.only)) continue;
  const env = { ...process.env, ...driver?.env };
  const { hostBytes, deviceBytes, measured, ...result } = JSON.parse(
    execFileSync('node', ['.cache/bench/memoryOf.cjs', JSON.stringify(one)], { encoding: 'utf8', env }),
  );
  const [predicted, truth] = isOnGpu ? [deviceBytes, driver.peakBytes()] : [hostBytes, measured];
  const ratio = predicted / truth;
  results.push({ name, ...result, predicted, measured: truth, ratio, ...(isOnGpu && { hostBytes, heldByProcess: measured }) });
  const ofHost = isOnGpu ? `  ${megabytes(hostBytes)} expected, ${megabytes(measured)} with the driver's` : '';
  console.log(`${name.padEnd(64)} ${megabytes(predicted)}  ${megabytes(truth)}  ${ratio.toFixed(3)}${ofHost}`);
}
const ratios = results.map(({ ratio }) => ratio);
console.log(`\n${results.length} cases, ratios from ${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}`);
mkdirSync('build', { recursive: true });
writeFileSync('build/memory.json', `${JSON.stringify(results, null, 2)}\n`);
process.exitCode = ratios.some((ratio) => Math.abs(ratio - 1) > tolerance) ? 1 : 0;

function describe({ config, baseDType, checkpointing, streaming, batchSize, sequenceLength, rank, dropout, mixedLengths }) {
  const shape = isOnGpu
    ? `${config.layerCount} layers, ${config.vocabSize} tokens`
    : config === grouped
      ? '4 layers of 1024, 16/4 heads'
      : config === untied
        ? '4 layers of 768, untied 128k'
        : config === cut
          ? '135M, 4 layers'
          : '135M';
  const extras = [
    checkpointing && 'checkpointing',
    streaming && 'streaming',
    dropout && 'dropout',
    mixedLengths && 'eight lengths',
  ].filter(Boolean);
  return [shape, baseDType, `${batchSize} × ${sequenceLength}`, `r ${rank}`, ...extras].join(', ');
}

function megabytes(bytes) {
  return `${Math.round(bytes / 1e6)} MB`.padStart(8);
}
