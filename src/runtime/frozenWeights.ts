import type { MatrixForm } from '../core/llama/frozenMatrix.js';
import { hasBias, type LinearForms } from '../core/llama/linear.js';
import { baseWishes, linearForms, matrixForm, type BaseDType, type WeightWish } from '../core/llama/matrixForm.js';
import { headName, linearNames, linearPath, type WeightStore } from '../core/llama/weights.js';
import { vocabularySlices } from '../core/train/vocabularyPrograms.js';
import type { Device, DeviceTensor, HostArray } from './device.js';
import { readMatrix, type Allocate, type HostPart } from './readMatrix.js';
import { StreamedBuffers } from './streamedBuffers.js';

export interface FrozenOptions {
  readonly dtype: BaseDType;
  /** Layers come from the file whenever they are used and never lie in memory together. */
  readonly streaming: boolean;
}

type Tensors = ReadonlyMap<string, DeviceTensor>;

/** Some rows of a table that has one for each token of the vocabulary. */
export interface TableSlice {
  /** [] int32 */
  readonly firstRow: DeviceTensor;
  readonly rows: number;
  /** By suffix of their names: `embed_tokens.weight` and `lm_head.weight` can be one table. */
  readonly parts: Tensors;
}

export interface Table {
  readonly form: MatrixForm;
  readonly slices: readonly TableSlice[];
}

/** The base model: uploaded tensor by tensor, so that it never exists twice. */
export class FrozenWeights {
  private readonly buffers = new StreamedBuffers();
  /** Null where layers are streamed. */
  private resident: readonly Tensors[] | null = null;

  private constructor(
    private readonly store: WeightStore,
    private readonly device: Device,
    private readonly linearWish: WeightWish,
    readonly embedding: Table,
    /** The embedding itself where they are tied. */
    readonly head: Table,
    /** [H] */
    readonly norm: DeviceTensor,
  ) {}

  static async load(store: WeightStore, device: Device, { dtype, streaming }: FrozenOptions): Promise<FrozenWeights> {
    const { config } = store;
    const { linears, tables } = baseWishes(dtype, device.kind);
    const embedding = await uploadTable(store, device, 'model.embed_tokens.weight', tables);
    const head = config.tiedEmbeddings ? embedding : await uploadTable(store, device, headName(config), tables);
    const norm = await device.upload('float32', [config.hiddenSize], store.readFloat32('model.norm.weight'));
    const frozen = new FrozenWeights(store, device, linears, embedding, head, norm);
    if (!streaming) {
      const layers: Tensors[] = [];
      for (let layer = 0; layer < config.layerCount; layer++) layers.push(await frozen.loadLayer(layer));
      frozen.resident = layers;
    }
    return frozen;
  }

  /** How a layer's linears are held, which decides what its programs look like. */
  forms(layer: number): LinearForms {
    return linearForms(this.store, layer, this.linearWish);
  }

  /** Lends a layer's weights to `run`, under the names that the block programs use. */
  async withLayer<T>(layer: number, run: (weights: Tensors) => Promise<T>): Promise<T> {
    if (this.resident) return run(this.resident[layer]!);
    const weights = await this.loadLayer(layer, this.buffers.allocate);
    try {
      return await run(weights);
    } finally {
      weights.forEach((tensor) => this.device.release(tensor));
    }
  }

  dispose(): void {
    const layers = this.resident?.flatMap((layer) => [...layer.values()]) ?? [];
    const slices = new Set([...this.embedding.slices, ...this.head.slices]);
    const tables = [...slices].flatMap(({ firstRow, parts }) => [firstRow, ...parts.values()]);
    [...layers, ...tables, this.norm].forEach((tensor) => this.device.release(tensor));
  }

  private async loadLayer(layer: number, allocate?: Allocate): Promise<Tensors> {
    const { store, device } = this;
    const tensors = new Map<string, DeviceTensor>();
    const vector = async (localName: string, name: string): Promise<unknown> =>
      tensors.set(localName, await device.upload('float32', store.info(name)!.shape, store.readFloat32(name)));
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) {
      await vector(`${norm}.weight`, `model.layers.${layer}.${norm}.weight`);
    }
    const forms = this.forms(layer);
    for (const linear of linearNames) {
      const path = linearPath(layer, linear);
      for (const { suffix, dtype, shape, data } of readMatrix(store, `${path}.weight`, forms[linear], allocate)) {
        tensors.set(`${linear}.weight${suffix}`, await device.upload(dtype, shape, data));
      }
      if (hasBias(store.config, linear)) await vector(`${linear}.bias`, `${path}.bias`);
    }
    return tensors;
  }
}

/** On the CPU the slices are views of one array. */
async function uploadTable(store: WeightStore, device: Device, name: string, wish: WeightWish): Promise<Table> {
  const form = matrixForm(store.info(name)!, wish);
  const parts = readMatrix(store, name, form);
  const slices: TableSlice[] = [];
  for (const { firstRow, rows } of vocabularySlices(store.config, device.kind)) {
    const uploaded = new Map<string, DeviceTensor>();
    for (const part of parts) uploaded.set(part.suffix, await device.upload(part.dtype, [rows, ...part.shape.slice(1)], rowsOf(part, firstRow, rows)));
    slices.push({ firstRow: await device.upload('int32', [], Int32Array.of(firstRow)), rows, parts: uploaded });
  }
  return { form, slices };
}

function rowsOf({ data, shape }: HostPart, firstRow: number, rows: number): HostArray {
  const rowLength = data.length / shape[0]!;
  return data.subarray(firstRow * rowLength, (firstRow + rows) * rowLength);
}
