/** @file Runs the decode programs: a base model in memory, caches, prepared adapters. */
import {
  decodeHeadProgram,
  decodeLayersProgram,
  growCacheProgram,
  ropeTableName,
  type DecodeForms,
} from '../core/generate/decodePrograms.js';
import type { PreparedAdapter } from '../core/generate/preparedAdapter.js';
import type { Constants } from '../core/graph/lower.js';
import { tensorBytes, type DeviceKind } from '../core/graph/types.js';
import type { ModelConfig } from '../core/models/config.js';
import { matrixBytes, matrixParts, type FloatForm, type MatrixForm } from '../core/models/frozenMatrix.js';
import { linearForm, type DecodePrecision } from '../core/models/matrixForm.js';
import { weightTable } from '../core/models/weightTable.js';
import { linearNames, linearShape, type LinearName } from '../core/models/linears.js';
import type { WeightStore } from '../core/models/weights.js';
import { guaranteedBytes } from './bindingLimit.js';
import { decodeConstants, headConstants, headForm, readHead } from './decodeConstants.js';
import type { Device, DeviceTensor, Executable, SavedSessions } from './device.js';
import { disposeAll, disposedOnFailure } from './disposal.js';
import { collectGarbage } from './memory/collectGarbage.js';
import { uploadRopeTables } from './ropeTensors.js';
import { measureSmoothing, type Smoothing } from './smoothing.js';

/**
 * Number of prompt tokens per call: enough to use all cores, few enough to react to a cancellation. The number of rows multiplied
 * at once decides how sums are rounded, so results are identical to the bit only if tokens were read in the same chunks.
 */
export const promptChunk = 256;

/** Maximum weight bytes of one session: a larger model file would not fit a protobuf message. */
const maxSessionBytes = 1 << 29;

type Compile = Device['compile'];

/** Rows of logits that are computed at once: with 150,000 words, ten megabytes. */
const logitRows = 16;

/** Tokens to read; `onLogits` is given the logits after each of them from index `from` on, in order. */
export interface Reading {
  readonly ids: readonly number[];
  readonly from: number;
  readonly onLogits: (logits: Float32Array) => void;
}

/** Does work while nobody else uses the device. */
export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

interface LayerGroup {
  readonly from: number;
  readonly to: number;
  readonly executable: Executable;
}

/** Some rows of the output layer. */
interface HeadSlice {
  readonly rows: number;
  readonly executable: Executable;
}

/** Keys and values of the tokens seen so far, for one sequence. */
export class KeyValueCache {
  readonly ids: number[] = [];
  /** Number of leading tokens that were read in whole chunks, as they would be again. */
  exactLength = 0;
  readonly tensors = new Map<string, DeviceTensor>();
  capacity = 0;

  /** Keeps only the first `length` tokens. */
  cutTo(length: number): void {
    this.ids.length = length;
    this.exactLength = Math.min(this.exactLength, wholeChunks(length));
  }
}

/** The part of `length` tokens that fills whole chunks. */
export function wholeChunks(length: number): number {
  return length - (length % promptChunk);
}

export class Decoder {
  /** By capacity of the caches: sequences of different lengths take turns. */
  private readonly rope = new Map<number, Map<string, DeviceTensor>>();

  private constructor(
    readonly config: ModelConfig,
    private readonly device: Device,
    private readonly groups: readonly LayerGroup[],
    /** Slices of the vocabulary, in order. */
    private readonly head: readonly HeadSlice[],
    /** Stays open, because individual rows of the embeddings are read as their tokens occur. */
    private readonly store: WeightStore,
  ) {}

  /** Sessions hold the weights, so those already created are disposed of if a later one fails. */
  static load(store: WeightStore, device: Device, dtype: DecodePrecision, saved?: SavedSessions): Promise<Decoder> {
    const made: Executable[] = [];
    const compile: Compile = async (program, options) => {
      const executable = await device.compile(program, { ...options, ...(saved && { saved }) });
      made.push(executable);
      return executable;
    };
    return disposedOnFailure({ dispose: () => disposeAll(made) }, async () => {
      const groups = await loadGroups(store, device, compile, dtype);
      const head = await loadHead(store, device.kind, compile, dtype);
      collectGarbage(); // the models that the sessions were made from
      return new Decoder(store.config, device, groups, head, store);
    });
  }

  /**
   * Appends ids to the cache and gives `onLogits` the logits [V] after each of them from index `from` on. `inTurn` runs each chunk
   * of them, when the device is free; it may throw to cancel, and the cache then holds the chunks read so far.
   */
  async append(
    cache: KeyValueCache,
    { ids, from, onLogits }: Reading,
    adapter: ReadonlyMap<string, DeviceTensor>,
    inTurn: InTurn,
  ): Promise<void> {
    for (let start = 0; start < ids.length; start += promptChunk) {
      await inTurn(async () => {
        const chunk = ids.slice(start, start + promptChunk);
        const hidden = await this.appendChunk(cache, chunk, adapter);
        for (let at = Math.max(0, from - start); at < chunk.length; at += logitRows) {
          const indices = Int32Array.from({ length: Math.min(logitRows, chunk.length - at) }, (_, i) => at + i);
          for (const logits of await this.logits(hidden, indices)) onLogits(logits);
        }
        this.device.release(hidden);
      });
    }
  }

  async uploadAdapter(prepared: PreparedAdapter): Promise<Map<string, DeviceTensor>> {
    const tensors = new Map<string, DeviceTensor>();
    try {
      for (const [name, { shape, data }] of prepared) tensors.set(name, await this.device.upload('float32', shape, data));
    } catch (error) {
      this.releaseAll(tensors);
      throw error;
    }
    return tensors;
  }

  releaseAll(tensors: ReadonlyMap<string, DeviceTensor>): void {
    tensors.forEach((tensor) => this.device.release(tensor));
  }

  async dispose(): Promise<void> {
    this.rope.forEach((tensors) => this.releaseAll(tensors));
    await disposeAll([...this.groups, ...this.head].map(({ executable }) => executable));
  }

  /** The hidden states [1, T, H] after the last layer, to be released by the caller. */
  private async appendChunk(
    cache: KeyValueCache,
    ids: readonly number[],
    adapter: ReadonlyMap<string, DeviceTensor>,
  ): Promise<DeviceTensor> {
    const { hiddenSize } = this.config;
    const total = cache.ids.length + ids.length;
    await this.reserve(cache, total);
    const shape = [1, ids.length, hiddenSize];
    const positions = new Map<string, DeviceTensor>([
      [
        'position_ids',
        await this.device.upload(
          'int64',
          [1, ids.length],
          BigInt64Array.from(ids, (_, i) => BigInt(total - ids.length + i)),
        ),
      ],
      ['last_index', await this.device.upload('int32', [1], Int32Array.of(total - 1))],
      ['total_length', await this.device.upload('int32', [1], Int32Array.of(total))],
    ]);
    const rope = await this.ropeTensors(cache.capacity);
    let x = await this.device.upload('float32', shape, this.embed(ids));
    for (const group of this.groups) {
      const into = this.device.writesInPlace ? await this.outputsInPlace(cache, group, shape) : undefined;
      const results = await group.executable.run(new Map([...positions, ...rope, ...adapter, ...cache.tensors, ['x', x]]), into);
      this.device.release(x);
      x = results.get('y')!;
      results.delete('y');
      this.keepCaches(cache, results);
    }
    this.releaseAll(positions);
    if (ids.length === promptChunk && cache.exactLength === cache.ids.length) cache.exactLength = total;
    cache.ids.push(...ids);
    return x;
  }

  private async outputsInPlace(
    cache: KeyValueCache,
    { from, to }: LayerGroup,
    shape: readonly number[],
  ): Promise<Map<string, DeviceTensor>> {
    const outputs = new Map([['y', await this.device.zeros(shape)]]);
    for (let layer = from; layer < to; layer++) {
      for (const part of ['key', 'value']) outputs.set(`${layer}.present_${part}`, cache.tensors.get(`${layer}.past_${part}`)!);
    }
    return outputs;
  }

  private keepCaches(cache: KeyValueCache, presents: ReadonlyMap<string, DeviceTensor>): void {
    for (const [name, present] of presents) {
      const pastName = name.replace('present', 'past');
      const past = cache.tensors.get(pastName)!;
      if (past !== present) this.device.release(past);
      cache.tensors.set(pastName, present);
    }
  }

  /** The logits [V] after each of the tokens of x [1, T, H] at these indices. */
  private async logits(x: DeviceTensor, indices: Int32Array): Promise<Float32Array[]> {
    const logits = Array.from(indices, () => new Float32Array(this.config.vocabSize));
    const inputs = new Map([
      ['x', x],
      ['indices', await this.device.upload('int32', [indices.length], indices)],
    ]);
    let firstRow = 0;
    for (const { executable, rows } of this.head) {
      const shape = [1, indices.length, rows];
      const into = this.device.writesInPlace ? new Map([['logits', await this.device.zeros(shape)]]) : undefined;
      const results = await executable.run(inputs, into);
      const ofSlice = await this.device.download(results.get('logits')!);
      this.releaseAll(results);
      logits.forEach((each, i) => each.set(ofSlice.subarray(i * rows, (i + 1) * rows), firstRow));
      firstRow += rows;
    }
    this.device.release(inputs.get('indices')!);
    return logits;
  }

  private embed(ids: readonly number[]): Float32Array {
    const { hiddenSize, embeddingScale = 1 } = this.config;
    const x = new Float32Array(ids.length * hiddenSize);
    const { name } = weightTable(this.config).embedding;
    ids.forEach((id, i) => this.store.readRows(name, id, x.subarray(i * hiddenSize, (i + 1) * hiddenSize)));
    if (embeddingScale !== 1) x.forEach((value, i) => (x[i] = value * Math.fround(embeddingScale)));
    return x;
  }

  /** Makes room for `length` tokens. A cache doubles in size, so that copying stays rare. */
  private async reserve(cache: KeyValueCache, length: number): Promise<void> {
    if (length <= cache.capacity) return;
    const capacity = Math.max(512, 2 ** Math.ceil(Math.log2(length)));
    try {
      if (cache.capacity === 0) await this.makeCache(cache, capacity);
      else await this.growCache(cache, capacity);
    } catch (error) {
      this.clear(cache); // some of its tensors already have the new size
      throw error;
    }
    cache.capacity = capacity;
  }

  private clear(cache: KeyValueCache): void {
    this.releaseAll(cache.tensors);
    cache.tensors.clear();
    cache.capacity = 0;
    cache.cutTo(0);
  }

  private async makeCache(cache: KeyValueCache, capacity: number): Promise<void> {
    const { keyValueHeadCount, headDim, layerCount } = this.config;
    for (let layer = 0; layer < layerCount; layer++) {
      for (const part of ['key', 'value']) {
        cache.tensors.set(`${layer}.past_${part}`, await this.device.zeros([1, keyValueHeadCount, capacity, headDim]));
      }
    }
  }

  private async growCache(cache: KeyValueCache, capacity: number): Promise<void> {
    const program = await this.device.compile(growCacheProgram(this.config, cache.capacity, capacity));
    try {
      for (const [name, past] of cache.tensors) {
        const results = await program.run(new Map([['past', past]]));
        this.device.release(past);
        cache.tensors.set(name, results.get('grown')!);
      }
    } finally {
      await program.dispose();
    }
  }

  private async ropeTensors(capacity: number): Promise<Map<string, DeviceTensor>> {
    const known = this.rope.get(capacity);
    if (known) return known;
    const tensors = new Map<string, DeviceTensor>();
    for (const [kind, { rope }] of this.config.attentionKinds.entries()) {
      if (!rope) continue;
      const tables = await uploadRopeTables(this.device, rope, this.config.headDim, capacity);
      for (const [table, tensor] of tables) tensors.set(ropeTableName(table, kind), tensor);
    }
    this.rope.set(capacity, tensors);
    return tensors;
  }
}

async function loadGroups(store: WeightStore, device: Device, compile: Compile, dtype: DecodePrecision): Promise<LayerGroup[]> {
  const { config } = store;
  const groups: LayerGroup[] = [];
  let smoothing: Smoothing | undefined;
  const forms = (layer: number, linear: LinearName): MatrixForm => linearForm(store, layer, linear, dtype);
  const perGroup = layersPerSession(config, forms);
  for (let from = 0; from < config.layerCount; from += perGroup) {
    const to = Math.min(config.layerCount, from + perGroup);
    const { program, dynamicAxes } = decodeLayersProgram(config, from, to, forms);
    const constants = async (): Promise<Constants> => {
      if (dtype === 'integers') smoothing ??= await measureSmoothing(store, device);
      return decodeConstants(store, program, dtype, smoothing);
    };
    groups.push({ from, to, executable: await compile(program, { constants, dynamicAxes }) });
  }
  return groups;
}

function layersPerSession(config: ModelConfig, forms: DecodeForms): number {
  const bytes = linearNames.map((linear) => matrixBytes(forms(0, linear), linearShape(config, linear)));
  return Math.max(1, Math.floor(maxSessionBytes / bytes.reduce((sum, each) => sum + each, 0)));
}

async function loadHead(store: WeightStore, device: DeviceKind, compile: Compile, dtype: DecodePrecision): Promise<HeadSlice[]> {
  const { config } = store;
  const form = headForm(store, dtype);
  const sliceRows = headSliceRows(config, form, device);
  const slices: HeadSlice[] = [];
  for (let firstRow = 0; firstRow < config.vocabSize; firstRow += sliceRows) {
    const rows = Math.min(sliceRows, config.vocabSize - firstRow);
    const { program, dynamicAxes } = decodeHeadProgram(config, rows, form);
    const constants = (): Constants => headConstants(store, program, readHead(store, dtype, { firstRow, rows }));
    slices.push({ rows, executable: await compile(program, { constants, dynamicAxes }) });
  }
  return slices;
}

/** On the CPU all rows; on a GPU as many as every GPU can bind. */
export function headSliceRows({ vocabSize, hiddenSize }: ModelConfig, form: FloatForm, device: DeviceKind): number {
  if (device === 'cpu') return vocabSize;
  const largest = Math.max(...matrixParts(form, [vocabSize, hiddenSize]).map(tensorBytes));
  return Math.min(vocabSize, Math.floor((guaranteedBytes * vocabSize) / largest));
}
