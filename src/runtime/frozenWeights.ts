import { isInteger, type MatrixForm } from '../core/models/frozenMatrix.js';
import type { LinearForms } from '../core/models/linear.js';
import {
  basePrecisions,
  linearForms,
  type BasePrecisions,
  matrixForm,
  type BaseDType,
  type TrainingPrecision,
} from '../core/models/matrixForm.js';
import type { WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import { vocabularySlices } from '../core/train/vocabularyPrograms.js';
import type { Device, DeviceTensor } from './device.js';
import { readMatrix, type Allocate } from './readMatrix.js';
import { saturates } from './saturates.js';
import { measureSmoothing, type Smoothing } from './smoothing.js';
import { PassingBuffers, StreamedBuffers } from './streamedBuffers.js';
import { uploadLayer } from './uploadLayer.js';

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
  /** [H]; null unless products are computed in integers. */
  readonly smoothing: DeviceTensor | null;
}

/** The base model, uploaded tensor by tensor so that it never exists twice. */
export class FrozenWeights {
  /** Empty if layers are streamed. */
  private resident: readonly Tensors[] = [];

  private constructor(
    readonly store: WeightStore,
    readonly device: Device,
    readonly options: FrozenOptions,
    private readonly linearPrecision: TrainingPrecision,
    /** Null if no products are computed in integers. */
    private readonly smoothing: Smoothing | null,
    /** The head itself if the two are tied. */
    readonly embedding: Table,
    readonly head: Table,
    /** [H] */
    readonly norm: DeviceTensor,
    /** Provides the memory for streamed layers; null if layers are resident. */
    private readonly streamed: Allocate | null,
  ) {}

  static async load(store: WeightStore, device: Device, options: FrozenOptions): Promise<FrozenWeights> {
    const { config } = store;
    const { dtype, streaming } = options;
    const table = weightTable(config);
    const precisions = await precisionsOn(device, dtype);
    // The CPU computes directly on the memory that was read into; a GPU has its own copy.
    const passing = device.kind === 'cpu' ? undefined : new PassingBuffers().allocate;
    const smoothing = isInteger(precisions.linears) ? await measureSmoothing(store, device) : null;
    const head = await uploadTable(store, device, table.head.name, precisions.head, passing, smoothing?.head);
    const embedding =
      table.embedding === table.head
        ? head
        : await uploadTable(store, device, table.embedding.name, precisions.embedding, passing);
    const norm = await device.upload('float32', table.norm.shape, store.readFloat32(table.norm.name));
    const streamed = streaming ? (passing ?? new StreamedBuffers().allocate) : null;
    const frozen = new FrozenWeights(store, device, options, precisions.linears, smoothing, embedding, head, norm, streamed);
    if (!streaming) {
      const layers: Tensors[] = [];
      for (let layer = 0; layer < config.layerCount; layer++) layers.push(await frozen.loadLayer(layer, passing));
      frozen.resident = layers;
    }
    return frozen;
  }

  isHeldAs({ dtype, streaming }: FrozenOptions): boolean {
    return this.options.dtype === dtype && this.options.streaming === streaming;
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
    const smoothing = this.head.smoothing ? [this.head.smoothing] : [];
    [...layers, ...tables, ...smoothing, this.norm].forEach((tensor) => this.device.release(tensor));
  }

  private loadLayer(layer: number, allocate?: Allocate): Promise<Tensors> {
    return uploadLayer(this.store, this.device, layer, this.forms(layer), allocate, this.smoothing?.layers[layer]);
  }
}

async function precisionsOn(device: Device, dtype: BaseDType): Promise<BasePrecisions> {
  const precisions = basePrecisions(dtype, device.kind);
  return precisions.linears === 'I8' && (await saturates(device)) ? { ...precisions, linears: 'I7', head: 'I7' } : precisions;
}

/** Uploads slice by slice, so that the host never holds a whole table in addition to the device. */
async function uploadTable(
  store: WeightStore,
  device: Device,
  name: string,
  precision: TrainingPrecision,
  allocate?: Allocate,
  smoothing?: Float32Array,
): Promise<Table> {
  const form = matrixForm(store.info(name)!, precision);
  const slices: TableSlice[] = [];
  for (const range of vocabularySlices(store.config, device.kind)) {
    const parts = new Map<string, DeviceTensor>();
    for (const { suffix, dtype, shape, data } of readMatrix(store, name, form, allocate, range, smoothing)) {
      parts.set(suffix, await device.upload(dtype, shape, data));
    }
    slices.push({ firstRow: await device.upload('int32', [], Int32Array.of(range.firstRow)), rows: range.rows, parts });
  }
  return { form, slices, smoothing: smoothing ? await device.upload('float32', [smoothing.length], smoothing) : null };
}
