/**
 * LoRA training by this project's engine on the SmolLM2-135M shape with random weights. Prints one line of JSON with the keys of
 * peft_train.py. Run by run.mjs. Options: --steps N --threads N --device cpu|webgpu --base-dtype fp32|fp16|int8|int4 --rank N
 * --batch-size N --sequence-length N --shape smollm2-135m|smollm2-360m|llama-3.2-1b --layers N --gradient-checkpointing
 * --layer-streaming --model PATH (instead of a shape)
 * --label-share S: the last share S of each row has labels; 1 by default
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { linearNames } from '../src/core/models/linears.js';
import { initialLoraState } from '../src/core/train/loraInit.js';
import { openModel } from '../src/files/openModel.js';
import { createTrainer } from '../src/runtime/engine.js';
import type { EngineOptions } from '../src/runtime/engineOptions.js';
import { median } from './median.mjs';
import { randomBatch } from './randomBatch.js';
import { randomWeights, shapes } from './shapes.js';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '10' },
    threads: { type: 'string', default: '2' },
    device: { type: 'string', default: 'cpu' },
    'base-dtype': { type: 'string', default: 'fp32' },
    rank: { type: 'string', default: '8' },
    'batch-size': { type: 'string', default: '2' },
    'sequence-length': { type: 'string', default: '256' },
    shape: { type: 'string', default: 'smollm2-135m' },
    layers: { type: 'string' },
    'label-share': { type: 'string', default: '1' },
    'gradient-checkpointing': { type: 'boolean', default: false },
    'layer-streaming': { type: 'boolean', default: false },
    model: { type: 'string' },
  },
});

const shape = shapes[values.shape as keyof typeof shapes];
const weights = values.model
  ? openModel(values.model).weights
  : randomWeights({ ...shape, layerCount: values.layers ? Number(values.layers) : shape.layerCount });
const { config } = weights;

async function main(): Promise<void> {
  const [batchSize, sequenceLength] = [Number(values['batch-size']), Number(values['sequence-length'])];
  const lora = {
    r: Number(values.rank),
    alpha: 2 * Number(values.rank),
    useRslora: false,
    targetModules: linearNames,
    layers: null,
  };
  const { runner } = await createTrainer({
    weights,
    lora,
    dropout: 0,
    batch: { batchSize, sequenceLength },
    initialState: initialLoraState(config, lora, 0),
    engine: {
      device: values.device as EngineOptions['device'],
      base_dtype: values['base-dtype'] as EngineOptions['base_dtype'],
      threads: Number(values.threads),
      gradient_checkpointing: values['gradient-checkpointing'] ? 'on' : 'off',
      layer_streaming: values['layer-streaming'] ? 'on' : 'off',
      memory_check: 'warn',
    },
  });
  const batch = randomBatch(config, { batchSize, sequenceLength }, Number(values['label-share']));
  const step = async (number: number): Promise<number> => {
    const { lossSum, labelTokens } = await runner.accumulate(batch, number);
    await runner.update({
      step: number,
      learningRate: 3e-4,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.01,
      labelTokens,
      maxGradNorm: 1,
    });
    return lossSum / labelTokens;
  };

  let loss = await step(1);
  const firstStepSeconds = process.uptime();
  const durations: number[] = [];
  const processorSeconds: number[] = [];
  for (let number = 2; number <= 1 + Number(values.steps); number++) {
    const [started, usageBefore] = [performance.now(), process.cpuUsage()];
    loss = await step(number);
    durations.push((performance.now() - started) / 1000);
    const { user, system } = process.cpuUsage(usageBefore);
    processorSeconds.push((user + system) / 1e6);
  }
  const result = {
    tokens_per_second: (batchSize * sequenceLength) / median(durations),
    first_step_seconds: firstStepSeconds,
    peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
    gpu_memory_bytes: gpuMemoryBytes(),
    step_seconds: durations,
    // With one thread, a busy machine affects this figure least.
    processor_seconds: processorSeconds,
    loss,
    engine: runner.description,
  };
  console.log(JSON.stringify(result));
}

/** Memory of this process according to NVIDIA's driver, or null. ONNX Runtime keeps what it allocates, so this is the peak. */
function gpuMemoryBytes(): number | null {
  const { status, stdout } = spawnSync('nvidia-smi', ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'], {
    encoding: 'utf8',
  });
  const own = status === 0 ? stdout.split('\n').find((line) => line.startsWith(`${process.pid},`)) : undefined;
  return own ? Number(own.split(',')[1]) * 2 ** 20 : null;
}

void main();
