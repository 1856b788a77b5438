import { GraphBuilder } from '../core/graph/builder.js';
import { makeProgram } from '../core/graph/program.js';
import type { Program } from '../core/graph/types.js';
import { frozenProduct, type MatrixForm } from '../core/models/frozenMatrix.js';
import { elementCount } from '../core/shape.js';
import { hostArray, type Device, type DeviceTensor } from './device.js';
import { saturates } from './saturates.js';

const [tokens, width] = [512, 1024];

/** Best time of a few products [512, 1024] · [1024, 1024] with a frozen matrix, which is about what training consists of. */
export async function secondsPerProduct(device: Device, form: MatrixForm = 'F32'): Promise<number> {
  const program = productProgram(form);
  const executable = await device.compile(program);
  const inputs = new Map<string, DeviceTensor>();
  for (const [name, { dtype, shape }] of program.inputs) {
    const zeros = hostArray(dtype, elementCount(shape));
    inputs.set(name, await device.upload(dtype, shape, zeros));
  }
  let best = Infinity;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    const results = await executable.run(inputs);
    await device.download(results.get('sum')!); // a GPU is done only when its result has arrived
    best = Math.min(best, performance.now() - start);
    results.forEach((tensor) => device.release(tensor));
  }
  inputs.forEach((tensor) => device.release(tensor));
  await executable.dispose();
  return best / 1000;
}

function productProgram(form: MatrixForm): Program {
  const b = new GraphBuilder();
  const product = frozenProduct(b, 'w', [width, width], b.input('x', [tokens, width]), form, 'smoothing');
  return makeProgram('probe', { sum: b.reduceSum(product, [0, 1]) });
}

/** A step is not all products: below this, rounding the base is not worth it. */
const worthwhile = 1.6;

/**
 * How many times as fast as in fp32 the device computes a product in integers, if that makes training much faster; null
 * otherwise. It takes some milliseconds, and is measured once: runs that share a device are to decide alike.
 */
export function integerSpeedup(device: Device): Promise<number | null> {
  const known = speedups.get(device) ?? measureSpeedup(device);
  speedups.set(device, known);
  return known;
}

const speedups = new WeakMap<Device, Promise<number | null>>();

async function measureSpeedup(device: Device): Promise<number | null> {
  if (device.kind !== 'cpu' || (await saturates(device))) return null;
  const speedup = (await secondsPerProduct(device)) / (await secondsPerProduct(device, 'I8'));
  return speedup >= worthwhile ? speedup : null;
}
