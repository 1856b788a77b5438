import { GraphBuilder } from '../core/graph/builder.js';
import { makeProgram } from '../core/graph/program.js';
import type { Device } from './device.js';

/**
 * Whether products in integers saturate: without VNNI, x64 processors add two products of 8 bits in 16 bits. Found by computing
 * (255 − 128) · 127, of which four make 64,516; saturated sums of 255 · 127 are smaller.
 */
export async function saturates(device: Device): Promise<boolean> {
  const [rows, inner, columns] = [2, 64, 32];
  const b = new GraphBuilder();
  const product = b.integerProduct(
    b.input('a', [rows, inner], 'uint8'),
    b.input('codes', [inner, columns], 'int8'),
    b.input('scales', [columns]),
    { zeroPoint: 128, factor: 1 },
  );
  const executable = await device.compile(makeProgram('probe-saturation', { product }));
  const inputs = new Map([
    ['a', await device.upload('uint8', [rows, inner], new Uint8Array(rows * inner).fill(255))],
    ['codes', await device.upload('int8', [inner, columns], new Int8Array(inner * columns).fill(127))],
    ['scales', await device.upload('float32', [columns], new Float32Array(columns).fill(1))],
  ]);
  const result = (await executable.run(inputs)).get('product')!;
  const values = await device.download(result);
  [result, ...inputs.values()].forEach((tensor) => device.release(tensor));
  await executable.dispose();
  return values.some((value) => value !== inner * 127 * 127);
}
