import { isAdapted, type LoraShape } from '../core/adapters/lora.js';
import type { ModelConfig } from '../core/models/config.js';
import { HostDropout, layerKey } from '../core/train/dropout.js';
import type { BatchShape } from '../core/train/programs.js';
import type { Device, DeviceTensor } from './device.js';
import type { TrainPrograms } from './trainPrograms.js';

/** The masks of one micro-batch. */
export interface BatchDropout {
  /** Masks by input name of the block programs; the caller releases them. */
  masks(layer: number): Promise<ReadonlyMap<string, DeviceTensor>>;
  release(): void;
}

const withoutDropout: BatchDropout = { masks: () => Promise.resolve(new Map()), release: () => undefined };

/** Makes masks where they are used: a GPU receives only a seed; on the CPU the host writes them, which is cheaper. */
export class DropoutMasks {
  private readonly hostDropout = new Map<number, HostDropout>();
  /** [1, 1] int32 on the device, by layer. */
  private readonly layerKeys = new Map<number, DeviceTensor>();

  constructor(
    private readonly device: Device,
    private readonly programs: TrainPrograms,
    private readonly options: { readonly config: ModelConfig; readonly lora: LoraShape; readonly dropout: number },
  ) {}

  /** The same seed gives the same masks. */
  async forBatch({ batchSize, sequenceLength }: BatchShape, seed: number): Promise<BatchDropout> {
    const { dropout, lora } = this.options;
    if (dropout === 0) return withoutDropout;
    const rows = batchSize * sequenceLength;
    const ofBatch = this.device.kind === 'cpu' ? this.byHost(rows, seed) : await this.onDevice(rows, seed);
    return { ...ofBatch, masks: (layer) => (isAdapted(lora, layer) ? ofBatch.masks(layer) : withoutDropout.masks(layer)) };
  }

  dispose(): void {
    this.layerKeys.forEach((key) => this.device.release(key));
    this.layerKeys.clear();
  }

  private byHost(rows: number, seed: number): BatchDropout {
    const { config, lora, dropout } = this.options;
    const host = this.hostDropout.get(rows) ?? new HostDropout(config, lora, dropout, rows);
    this.hostDropout.set(rows, host);
    const masks: BatchDropout['masks'] = async (layer) => {
      const tensors = new Map<string, DeviceTensor>();
      for (const mask of host.masks) {
        tensors.set(mask.name, await this.device.fill('bool', [rows, mask.width], (into) => host.write(into, mask, seed, layer)));
      }
      return tensors;
    };
    return { masks, release: () => undefined };
  }

  private async onDevice(rows: number, seed: number): Promise<BatchDropout> {
    const seedTensor = await this.device.upload('int32', [1, 1], Int32Array.of(seed));
    const masks: BatchDropout['masks'] = async (layer) => {
      const program = await this.programs.dropout(rows);
      return program.run(
        new Map([
          ['seed', seedTensor],
          ['layer_key', await this.key(layer)],
        ]),
      );
    };
    return { masks, release: () => this.device.release(seedTensor) };
  }

  private async key(layer: number): Promise<DeviceTensor> {
    const key = this.layerKeys.get(layer) ?? (await this.device.upload('int32', [1, 1], Int32Array.of(layerKey(layer))));
    this.layerKeys.set(layer, key);
    return key;
  }
}
