import { loraParameters, type LoraShape } from '../adapters/lora.js';
import type { HostTensor } from '../formats/hostTensor.js';
import type { ModelConfig } from '../models/config.js';
import { Random } from '../random.js';
import { elementCount, type Shape } from '../shape.js';
import type { TrainableState } from './stepRunner.js';

/**
 * A fresh adapter: A as in PyTorch's kaiming_uniform_(a=√5), that is U(−1/√in, 1/√in), and B zero, so that the model starts
 * unchanged. Equal seeds give equal adapters.
 */
export function initialLoraState(config: ModelConfig, lora: LoraShape, seed: number): TrainableState {
  const random = new Random(seed);
  const parameters = loraParameters(config, lora).map(({ name, matrix, shape }): [string, HostTensor] => [
    name,
    matrix === 'A' ? uniform(shape, 1 / Math.sqrt(shape[1]), random) : zeros(shape),
  ]);
  return withZeroMoments(new Map(parameters));
}

/** The parameters with the optimizer's state before its first step. */
export function withZeroMoments(parameters: ReadonlyMap<string, HostTensor>): TrainableState {
  const moments = () => new Map([...parameters].map(([name, { shape }]) => [name, zeros(shape)]));
  return { parameters, firstMoments: moments(), secondMoments: moments() };
}

function uniform(shape: Shape, bound: number, random: Random): HostTensor {
  const data = Float32Array.from({ length: elementCount(shape) }, () => (2 * random.uniform() - 1) * bound);
  return { shape, data };
}

function zeros(shape: Shape): HostTensor {
  return { shape, data: new Float32Array(elementCount(shape)) };
}
