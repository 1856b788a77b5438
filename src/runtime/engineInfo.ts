import { env, listSupportedBackends } from 'onnxruntime-node';
import type { DeviceKind } from '../core/graph/types.js';
import { chooseDevice } from './chooseDevice.js';

export interface EngineInfo {
  readonly version: string;
  /** Execution providers built into this ONNX Runtime, whether or not the machine has the device. */
  readonly providers: readonly string[];
  /** The device that a run with `auto` would train on. */
  readonly device: DeviceKind;
  /** One sentence: the reason for that choice. */
  readonly deviceReason: string;
}

export async function engineInfo(): Promise<EngineInfo> {
  const bundled = listSupportedBackends().filter((backend) => backend.bundled);
  const { device, reason } = await chooseDevice('auto', null);
  await device.dispose();
  return {
    version: env.versions.node ?? env.versions.common,
    providers: bundled.map((backend) => backend.name),
    device: device.kind,
    deviceReason: reason,
  };
}
