import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { UserError } from '../core/errors.js';
import type { DeviceKind } from '../core/graph/types.js';
import { t } from '../l10n/text.js';
import { CpuDevice } from './cpuDevice.js';
import type { Device } from './device.js';
import { disposeQuietly } from './disposal.js';
import { failureReason } from './failureReason.js';
import { secondsPerProduct } from './productSpeed.js';
import { WebGpuDevice } from './webgpuDevice.js';

export type DeviceSetting = 'auto' | DeviceKind;

export interface ChosenDevice {
  readonly device: Device;
  /** One sentence for the log: the reason for this choice. */
  readonly reason: string;
}

/**
 * The device that the user named; with `auto`, the faster of GPU and CPU at a matrix product the size of those in training.
 * Throws UserError('device-unavailable') if WebGPU is named and unavailable.
 */
export async function chooseDevice(setting: DeviceSetting, threads: number | null): Promise<ChosenDevice> {
  const cpu = new CpuDevice(threads ?? availableParallelism());
  if (setting === 'cpu') return { device: cpu, reason: t`The CPU, as set.` };
  const gpu = new WebGpuDevice();
  if (setting === 'webgpu') {
    await requireGpu(gpu);
    return { device: gpu, reason: t`The GPU, as set.` };
  }
  if (!mayHaveGpu()) return { device: cpu, reason: t`The CPU: no GPU was found on this machine.` };
  try {
    const ratio = (await secondsPerProduct(cpu)) / (await secondsPerProduct(gpu));
    await (ratio >= 1 ? cpu : gpu).dispose();
    return ratio >= 1
      ? { device: gpu, reason: t`The GPU: a matrix product on the GPU was ${ratio.toFixed(1)} times as fast as on the CPU.` }
      : {
          device: cpu,
          reason: t`The CPU: a matrix product on the GPU was ${(1 / ratio).toFixed(1)} times slower than on the CPU.`,
        };
  } catch (error) {
    await disposeQuietly(gpu);
    return { device: cpu, reason: t`The CPU: the GPU cannot be used (${failureReason(error)}).` };
  }
}

async function requireGpu(gpu: Device): Promise<void> {
  try {
    await secondsPerProduct(gpu);
  } catch (cause) {
    const advice =
      process.platform === 'linux'
        ? t`On Linux it needs a GPU driver with Vulkan and the library libvulkan1.`
        : t`Update the GPU driver.`;
    throw new UserError(
      'device-unavailable',
      t`No GPU can be used through WebGPU. ${advice} Set the device to "cpu" or "auto" to train without it.`,
      { cause },
    );
  }
}

/** On Linux a GPU has a device file; without one, trying WebGPU would only print warnings. */
function mayHaveGpu(): boolean {
  if (process.platform !== 'linux') return true;
  const hasRenderNode = existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
  return hasRenderNode || existsSync('/dev/nvidia0') || existsSync('/dev/dxg');
}
