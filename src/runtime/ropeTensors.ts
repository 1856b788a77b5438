import type { LlamaConfig } from '../core/llama/config.js';
import { ropeTables } from '../core/llama/rope.js';
import type { Device, DeviceTensor } from './device.js';

/** `cos` and `sin`, [positions, headDim / 2]. */
export async function uploadRopeTables(device: Device, config: LlamaConfig, positions: number): Promise<Map<string, DeviceTensor>> {
  const { cos, sin } = ropeTables(config, positions);
  const shape = [positions, config.headDim / 2];
  return new Map([
    ['cos', await device.upload('float32', shape, cos)],
    ['sin', await device.upload('float32', shape, sin)],
  ]);
}
