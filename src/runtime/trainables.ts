import { loraParameters, type LoraParameter, type LoraShape } from '../core/adapters/lora.js';
import type { LlamaConfig } from '../core/llama/config.js';
import type { HostTensor, TrainableState } from '../core/train/stepRunner.js';
import type { Device, DeviceTensor } from './device.js';

/** One adapted layer's tensors under the names that the programs use: `q_proj.lora_A.weight`, `….gradient_sum`, `….m`, `….v`. */
export type LayerTrainables = Map<string, DeviceTensor>;

/** Everything that training changes, resident on the device, by layer. */
export class Trainables {
  readonly layers = new Map<number, LayerTrainables>();
  private readonly parameters: readonly LoraParameter[];

  constructor(
    private readonly device: Device,
    config: LlamaConfig,
    lora: LoraShape,
  ) {
    this.parameters = loraParameters(config, lora);
  }

  async importState(state: TrainableState): Promise<void> {
    this.dispose();
    for (const parameter of this.parameters) {
      const { localName, shape } = parameter;
      const layer = this.layers.get(parameter.layer) ?? new Map<string, DeviceTensor>();
      this.layers.set(parameter.layer, layer);
      const put = async (name: string, tensors: ReadonlyMap<string, HostTensor>): Promise<unknown> =>
        layer.set(name, await this.device.fill('float32', shape, (into) => copyOrClear(into, tensors.get(parameter.name))));
      await put(localName, state.parameters);
      await put(`${localName}.m`, state.firstMoments);
      await put(`${localName}.v`, state.secondMoments);
      layer.set(`${localName}.gradient_sum`, await this.device.zeros(shape));
    }
  }

  async exportState(): Promise<TrainableState> {
    const collect = async (suffix: string): Promise<Map<string, HostTensor>> => {
      const tensors = new Map<string, HostTensor>();
      for (const { name, layer, localName, shape } of this.parameters) {
        tensors.set(name, { shape, data: await this.device.download(this.layers.get(layer)!.get(localName + suffix)!) });
      }
      return tensors;
    };
    return { parameters: await collect(''), firstMoments: await collect('.m'), secondMoments: await collect('.v') };
  }

  /** Puts a new tensor in place of an old one, which is released. */
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

/** Absent moments are zeros. */
function copyOrClear(into: Float32Array, tensor: HostTensor | undefined): void {
  if (tensor) into.set(tensor.data);
  else into.fill(0);
}
