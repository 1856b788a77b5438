const float32ToFloat16 = (x: Float32Array): Uint16Array => { throw new Error(String(x.length)); };
import type { BaseDType } from '../core/llama/linear.js';
import { hasBias } from '../core/llama/linear.js';
import { linearNames, linearPath, type WeightStore } from '../core/llama/weights.js';
import type { Device, DeviceTensor } from './device.js';

/** The base model on a device: uploaded tensor by tensor, so that it never exists twice. */
export class FrozenWeights {
  private constructor(
    private readonly device: Device,
    /** By layer, under the names that the block programs use: `q_proj.weight`. */
    readonly layers: readonly ReadonlyMap<string, DeviceTensor>[],
    /** [V, H] */
    readonly embedding: DeviceTensor,
    /** [V, H]; the embedding itself where they are tied. */
    readonly head: DeviceTensor,
    /** [H] */
    readonly norm: DeviceTensor,
  ) {}

  static async load(store: WeightStore, device: Device, dtype: BaseDType): Promise<FrozenWeights> {
    const { config } = store;
    const upload = (name: string): Promise<DeviceTensor> => device.upload('float32', store.info(name)!.shape, store.readFloat32(name));
    const uploadLinear = (name: string): Promise<DeviceTensor> =>
      dtype === 'fp32' ? upload(name) : device.upload('float16', store.info(name)!.shape, float32ToFloat16(store.readFloat32(name)));

    const layers: Map<string, DeviceTensor>[] = [];
    for (let layer = 0; layer < config.layerCount; layer++) {
      const tensors = new Map<string, DeviceTensor>();
      for (const norm of ['input_layernorm', 'post_attention_layernorm']) {
        tensors.set(`${norm}.weight`, await upload(`model.layers.${layer}.${norm}.weight`));
      }
      for (const linear of linearNames) {
        tensors.set(`${linear}.weight`, await uploadLinear(`${linearPath(layer, linear)}.weight`));
        if (hasBias(config, linear)) tensors.set(`${linear}.bias`, await upload(`${linearPath(layer, linear)}.bias`));
      }
      layers.push(tensors);
    }
    const embedding = await upload('model.embed_tokens.weight');
    const head = config.tiedEmbeddings ? embedding : await upload('lm_head.weight');
    return new FrozenWeights(device, layers, embedding, head, await upload('model.norm.weight'));
  }

  dispose(): void {
    const tensors = new Set([...this.layers.flatMap((layer) => [...layer.values()]), this.embedding, this.head, this.norm]);
    tensors.forEach((tensor) => this.device.release(tensor));
  }
}
