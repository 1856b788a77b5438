import { loraParameters, type LoraParameter, type LoraShape } from '../core/adapters/lora.js';
import type { HostTensor } from '../core/formats/hostTensor.js';
import type { ModelConfig } from '../core/models/config.js';
import { elementCount } from '../core/shape.js';
import type { TrainableState } from '../core/train/stepRunner.js';
import type { Device, DeviceTensor } from './device.js';

/**
 * One adapted layer's tensors under the names that the programs use: its parameters (`q_proj.lora_A.weight`), and `gradient_sum`,
 * `m` and `v`, each concatenated over all parameters.
 */
export type LayerTrainables = Map<string, DeviceTensor>;

/** A parameter with its range in the concatenated values of its layer. */
interface PlacedParameter extends LoraParameter {
  readonly start: number;
  readonly end: number;
}

type HostTensors = ReadonlyMap<string, HostTensor>;

/** Everything that training changes, stored on the device, by layer. */
export class Trainables {
  readonly layers = new Map<number, LayerTrainables>();
  private readonly parameters = new Map<number, PlacedParameter[]>();

  constructor(
    private readonly device: Device,
    config: ModelConfig,
    lora: LoraShape | null,
  ) {
    for (const parameter of loraParameters(config, lora)) {
      const before = this.parameters.get(parameter.layer) ?? [];
      const start = before.at(-1)?.end ?? 0;
      this.parameters.set(parameter.layer, [...before, { ...parameter, start, end: start + elementCount(parameter.shape) }]);
    }
  }

  async importState(state: TrainableState): Promise<void> {
    this.dispose();
    for (const [layer, parameters] of this.parameters) {
      const tensors: LayerTrainables = new Map();
      this.layers.set(layer, tensors);
      for (const { name, localName, shape } of parameters) {
        tensors.set(localName, await this.device.fill('float32', shape, (into) => copyOrClear(into, state.parameters.get(name))));
      }
      const all = [parameters.at(-1)!.end];
      const flat = (host: HostTensors): Promise<DeviceTensor> =>
        this.device.fill('float32', all, (into) => {
          for (const { name, start, end } of parameters) copyOrClear(into.subarray(start, end), host.get(name));
        });
      tensors.set('m', await flat(state.firstMoments));
      tensors.set('v', await flat(state.secondMoments));
      tensors.set('gradient_sum', await this.device.zeros(all));
    }
  }

  async exportState(): Promise<TrainableState> {
    const parameters = new Map<string, HostTensor>();
    const firstMoments = new Map<string, HostTensor>();
    const secondMoments = new Map<string, HostTensor>();
    for (const [layer, ofLayer] of this.parameters) {
      const download = (name: string): Promise<Float32Array> => this.device.download(this.layers.get(layer)!.get(name)!);
      const [m, v] = [await download('m'), await download('v')];
      for (const { name, localName, shape, start, end } of ofLayer) {
        parameters.set(name, { shape, data: await download(localName) });
        firstMoments.set(name, { shape, data: m.subarray(start, end) });
        secondMoments.set(name, { shape, data: v.subarray(start, end) });
      }
    }
    return { parameters, firstMoments, secondMoments };
  }

  /** Replaces a tensor and releases the old one. */
  replace(layer: number, name: string, tensor: DeviceTensor): void {
    const tensors = this.layers.get(layer)!;
    this.device.release(tensors.get(name)!);
    tensors.set(name, tensor);
  }

  dispose(): void {
    for (const layer of this.layers.values()) layer.forEach((tensor) => this.device.release(tensor));
    this.layers.clear();
  }
}

/** Missing moments are zeros. */
function copyOrClear(into: Float32Array, tensor: HostTensor | undefined): void {
  if (tensor) into.set(tensor.data);
  else into.fill(0);
}
