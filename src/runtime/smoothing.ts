import { linearInputs } from '../core/models/linears.js';
import type { WeightStore } from '../core/models/weights.js';
import { loudestName } from '../core/train/programs.js';
import { Random } from '../core/random.js';
import { CpuDevice } from './cpuDevice.js';
import type { Device, DeviceTensor } from './device.js';
import { StreamedLayers } from './streamedLayers.js';
import type { LayerSmoothing } from './uploadLayer.js';

/** What the activations are multiplied with before they are rounded; the weights are divided by it. */
export interface Smoothing {
  readonly layers: readonly LayerSmoothing[];
  /** For the input of the head, [H]. */
  readonly head: Float32Array;
}

/** Tokens that the channels are measured with. */
const tokens = 128;

/**
 * A few channels of the activations are tens of times as loud as the others, and rounding a row with one scale would leave little
 * of the rest. As in SmoothQuant (https://arxiv.org/abs/2211.10438), half of the difference is moved into the weights: channels
 * are divided by √(their largest magnitude). Which channels are loud hardly depends on the text, so they are measured with tokens
 * drawn at random (docs/decisions/0020). The same model always gives the same factors, and a resumed run continues unchanged.
 */
export async function measureSmoothing(weights: WeightStore, device: Device): Promise<Smoothing> {
  if (!(device instanceof CpuDevice)) throw new Error('Only the CPU multiplies in integers.');
  const random = new Random(0);
  const ids = Array.from({ length: tokens }, () => random.uint32() % weights.config.vocabSize);
  const model = new StreamedLayers(device, { weights, adapter: null, strength: 0 });
  const layers: LayerSmoothing[] = [];
  try {
    const x = await model.run([ids], model.programs.loudestInputs, async (loudest) => {
      const ofLayer = new Map<string, Float32Array>();
      for (const { name } of linearInputs) ofLayer.set(name, smoothed(await taken(device, loudest.get(loudestName(name))!)));
      layers.push(ofLayer);
    });
    const normed = await model.normed(x);
    device.release(x);
    return { layers, head: smoothed(loudestOfColumns(await taken(device, normed), weights.config.hiddenSize)) };
  } finally {
    await model.dispose();
  }
}

async function taken(device: Device, tensor: DeviceTensor): Promise<Float32Array> {
  const values = await device.download(tensor);
  device.release(tensor);
  return values;
}

/** 1 / √loudest. Channels that were silent might not always be: none counts as more than 10⁴ times quieter than the loudest. */
function smoothed(loudest: Float32Array): Float32Array {
  const floor = loudest.reduce((largest, value) => Math.max(largest, value), 1e-30) / 1e4;
  return loudest.map((value) => 1 / Math.sqrt(Math.max(value, floor)));
}

function loudestOfColumns(values: Float32Array, columns: number): Float32Array {
  const loudest = new Float32Array(columns);
  values.forEach((value, at) => {
    loudest[at % columns] = Math.max(loudest[at % columns]!, Math.abs(value));
  });
  return loudest;
}
