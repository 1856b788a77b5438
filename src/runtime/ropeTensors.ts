import type { RopeSettings } from '../core/models/config.js';
import { ropeTables } from '../core/models/rope.js';
import type { Device, DeviceTensor } from './device.js';

/** `cos` and `sin`, [positions, headDim / 2]. */
export async function uploadRopeTables(
  device: Device,
  rope: RopeSettings,
  headDim: number,
  positions: number,
): Promise<Map<'cos' | 'sin', DeviceTensor>> {
  const { cos, sin } = ropeTables(rope, headDim, positions);
  const shape = [positions, headDim / 2];
  return new Map([
    ['cos', await device.upload('float32', shape, cos)],
    ['sin', await device.upload('float32', shape, sin)],
  ]);
}
