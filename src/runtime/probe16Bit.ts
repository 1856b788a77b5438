import { UserError } from '../core/errors.js';
import { GraphBuilder } from '../core/graph/builder.js';
import { makeProgram } from '../core/graph/program.js';
import type { Device } from './device.js';

/** 1 and −2 as fp16. */
const halves = Uint16Array.of(0x3c00, 0xc000);

/**
 * Whether the device supports 16-bit floats. A WebGPU device without the feature shader-f16 accepts such a program but fails when
 * running it.
 */
export async function has16Bit(device: Device): Promise<boolean> {
  const b = new GraphBuilder();
  const executable = await device.compile(makeProgram('probe-16-bit', { y: b.cast(b.input('x', [2], 'float16'), 'float32') }));
  const x = await device.upload('float16', [2], halves);
  try {
    const y = (await executable.run(new Map([['x', x]]))).get('y')!;
    const [first, second] = await device.download(y);
    device.release(y);
    return first === 1 && second === -2;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  } finally {
    device.release(x);
    await executable.dispose();
  }
}
