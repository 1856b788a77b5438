import type { MatrixForm } from '../core/models/frozenMatrix.js';
import type { LinearForms } from '../core/models/linear.js';
import type { LinearName } from '../core/models/linears.js';
import { basePrecisions, linearForms, matrixForm, type BaseDType, type WeightPrecision } from '../core/models/matrixForm.js';
import type { WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import { vocabularySlices } from '../core/train/vocabularyPrograms.js';
import type { Device, DeviceTensor } from './device.js';
import { readMatrix, type Allocate } from './readMatrix.js';
import { PassingBuffers, StreamedBuffers } from './streamedBuffers.js';

export interface FrozenOptions {
  readonly dtype: BaseDType;
  /** Read layers from the file every time they are used, so that they are never all in memory. */
  readonly streaming: boolean;
}

type Tensors = ReadonlyMap<string, DeviceTensor>;

/** Some rows of a table that has one row per token of the vocabulary. */
export interface TableSlice {
  /** [] int32 */
  readonly firstRow: DeviceTensor;
  readonly rows: number;
  /** Keyed by name suffix, since `embed_tokens.weight` and `lm_head.weight` can be one table. */
  readonly parts: Tensors;
}

export interface Table {
  readonly form: MatrixForm;
  readonly slices: readonly TableSlice[];
}

/** The base model, uploaded tensor by tensor so that it never exists twice. */
export class FrozenWeights {
  /** Empty if layers are streamed. */
  private resident: readonly Tensors[] = [];

  private constructor(
    private readonly store: WeightStore,
    private readonly device: Device,
    private readonly linearPrecision: WeightPrecision,
    readonly embedding: Table,
    /** The embedding itself if the two are tied. */
    readonly head: Table,
    /** [H] */
    readonly norm: DeviceTensor,
    /** Provides the memory for streamed layers; null if layers are resident. */
    private readonly streamed: Allocate | null,
  ) {}

  static async load(store: WeightStore, device: Device, { dtype, streaming }: FrozenOptions): Promise<FrozenWeights> {
    const { config } = store;
    const table = weightTable(config);
    const { linears, tables } = basePrecisions(dtype, device.kind);
    // The CPU computes directly on the memory that was read into; a GPU has its own copy.
    const passing = device.kind === 'cpu' ? undefined : new PassingBuffers().allocate;
    const embedding = await uploadTable(store, device, table.embedding.name, tables, passing);
    const head = table.head === table.embedding ? embedding : await uploadTable(store, device, table.head.name, tables, passing);
    const norm = await device.upload('float32', table.norm.shape, store.readFloat32(table.norm.name));
    const streamed = streaming ? (passing ?? new StreamedBuffers().allocate) : null;
    const frozen = new FrozenWeights(store, device, linears, embedding, head, norm, streamed);
    if (!streaming) {
      const layers: Tensors[] = [];
      for (let layer = 0; layer < config.layerCount; layer++) layers.push(await frozen.loadLayer(layer, passing));
      frozen.resident = layers;
    }
    return frozen;
  }

  /** The forms of a layer's linears, which determine its programs. */
  forms(layer: number): LinearForms {
    return linearForms(this.store, layer, this.linearPrecision);
  }

  /** Lends a layer's weights to `run`, under the names that the block programs use. */
  async withLayer<T>(layer: number, run: (weights: Tensors) => Promise<T>): Promise<T> {
    if (!this.streamed) return run(this.resident[layer]!);
    const weights = await this.loadLayer(layer, this.streamed);
    try {
      return await run(weights);
    } finally {
      weights.forEach((tensor) => this.device.release(tensor));
    }
  }

  dispose(): void {
    const layers = this.resident.flatMap((layer) => [...layer.values()]);
    const slices = new Set([...this.embedding.slices, ...this.head.slices]);
    const tables = [...slices].flatMap(({ firstRow, parts }) => [firstRow, ...parts.values()]);
    [...layers, ...tables, this.norm].forEach((tensor) => this.device.release(tensor));
  }

  private loadLayer(layer: number, allocate?: Allocate): Promise<Tensors> {
    return uploadLayer(this.store, this.device, layer, this.forms(layer), allocate);
  }
}

/** A layer's weights, under the names that the block programs use. */
export async function uploadLayer(
  store: WeightStore,
  device: Device,
  layer: number,
  forms: LinearForms,
  allocate?: Allocate,
): Promise<Tensors> {
  const tensors = new Map<string, DeviceTensor>();
  for (const { role, kind, name, shape } of weightTable(store.config).layer(layer)) {
    if (kind === 'vector') {
      tensors.set(role, await device.upload('float32', shape, store.readFloat32(name)));
      continue;
    }
    const form = forms[role.slice(0, -'.weight'.length) as LinearName];
    for (const part of readMatrix(store, name, form, allocate)) {
      tensors.set(role + part.suffix, await device.upload(part.dtype, part.shape, part.data));
    }
  }
  return tensors;
}

/** Uploads slice by slice, so that the host never holds a whole table in addition to the device. */
async function uploadTable(
  store: WeightStore,
  device: Device,
  name: string,
  precision: WeightPrecision,
  allocate?: Allocate,
): Promise<Table> {
  const form = matrixForm(store.info(name)!, precision);
  const slices: TableSlice[] = [];
  for (const range of vocabularySlices(store.config, device.kind)) {
    const parts = new Map<string, DeviceTensor>();
    for (const { suffix, dtype, shape, data } of readMatrix(store, name, form, allocate, range)) {
      parts.set(suffix, await device.upload(dtype, shape, data));
    }
    slices.push({ firstRow: await device.upload('int32', [], Int32Array.of(range.firstRow)), rows: range.rows, parts });
  }
  return { form, slices };
}
