import { float32ToFloat16 } from '../core/formats/float16.js';
import { hasBias } from '../core/llama/linear.js';
import { linearNames, linearPath, type WeightStore } from '../core/llama/weights.js';
import { vocabularySlices } from '../core/train/vocabularyPrograms.js';
import type { Device, DeviceTensor } from './device.js';
import { packWeight, type PackedWeight } from './packedWeight.js';

/** How the base model's linears are held. Norms, biases and embeddings stay fp32. */
export type BaseDType = 'fp32' | 'fp16' | 'int4';

interface FrozenLayer {
  /** Under the names that the block programs use: `q_proj.weight`. */
  readonly resident: ReadonlyMap<string, DeviceTensor>;
  readonly packed: ReadonlyMap<string, PackedWeight>;
}

/** Rows of a table that has one for each token of the vocabulary. */
export interface TableSlice {
  /** [] int32 */
  readonly firstRow: DeviceTensor;
  /** [rows, H] */
  readonly weight: DeviceTensor;
}

/** The base model: uploaded tensor by tensor, so that it never exists twice. */
export class FrozenWeights {
  private constructor(
    private readonly device: Device,
    private readonly layers: readonly FrozenLayer[],
    readonly embedding: readonly TableSlice[],
    /** The embedding itself where they are tied. */
    readonly head: readonly TableSlice[],
    /** [H] */
    readonly norm: DeviceTensor,
  ) {}

  static async load(store: WeightStore, device: Device, dtype: BaseDType): Promise<FrozenWeights> {
    const { config } = store;
    const upload = (name: string): Promise<DeviceTensor> => device.upload('float32', store.info(name)!.shape, store.readFloat32(name));
    const layers: FrozenLayer[] = [];
    for (let layer = 0; layer < config.layerCount; layer++) {
      const resident = new Map<string, DeviceTensor>();
      const packed = new Map<string, PackedWeight>();
      for (const norm of ['input_layernorm', 'post_attention_layernorm']) {
        resident.set(`${norm}.weight`, await upload(`model.layers.${layer}.${norm}.weight`));
      }
      for (const linear of linearNames) {
        const name = `${linearPath(layer, linear)}.weight`;
        const packedWeight = dtype === 'int4' ? packWeight(store, name) : undefined;
        if (packedWeight) packed.set(`${linear}.weight`, packedWeight);
        else if (dtype !== 'fp16') resident.set(`${linear}.weight`, await upload(name));
        else resident.set(`${linear}.weight`, await device.upload('float16', store.info(name)!.shape, float32ToFloat16(store.readFloat32(name))));
        if (hasBias(config, linear)) resident.set(`${linear}.bias`, await upload(`${linearPath(layer, linear)}.bias`));
      }
      layers.push({ resident, packed });
    }
    const embedding = await uploadTable(store, device, 'model.embed_tokens.weight');
    const head = config.tiedEmbeddings ? embedding : await uploadTable(store, device, 'lm_head.weight');
    return new FrozenWeights(device, layers, embedding, head, await upload('model.norm.weight'));
  }

  /** Lends a layer's weights to `run`; packed ones exist in fp32 only meanwhile. */
  async withLayer<T>(layer: number, run: (weights: ReadonlyMap<string, DeviceTensor>) => Promise<T>): Promise<T> {
    const { resident, packed } = this.layers[layer]!;
    const unpacked = new Map<string, DeviceTensor>();
    for (const [name, weight] of packed) unpacked.set(name, await this.device.fill('float32', weight.shape, (into) => weight.unpack(into)));
    try {
      return await run(new Map([...resident, ...unpacked]));
    } finally {
      unpacked.forEach((tensor) => this.device.release(tensor));
    }
  }

  dispose(): void {
    const slices = new Set([...this.embedding, ...this.head]);
    const tensors = [...this.layers.flatMap(({ resident }) => [...resident.values()]), ...[...slices].flatMap(({ firstRow, weight }) => [firstRow, weight]), this.norm];
    tensors.forEach((tensor) => this.device.release(tensor));
  }
}

/** On the CPU the slices are views of one array. */
async function uploadTable(store: WeightStore, device: Device, name: string): Promise<TableSlice[]> {
  const { hiddenSize } = store.config;
  const values = store.readFloat32(name);
  const slices: TableSlice[] = [];
  for (const { firstRow, rows } of vocabularySlices(store.config)) {
    slices.push({
      firstRow: await device.upload('int32', [], Int32Array.of(firstRow)),
      weight: await device.upload('float32', [rows, hiddenSize], values.subarray(firstRow * hiddenSize, (firstRow + rows) * hiddenSize)),
    });
  }
  return slices;
}
