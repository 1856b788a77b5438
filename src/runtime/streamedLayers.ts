import { blockLoraParameters, isAdapted, peftName, type LoraShape } from '../core/adapters/lora.js';
import type { Adapter } from '../core/adapters/peft.js';
import type { Batch } from '../core/data/batch.js';
import { attentionKindOf, type ModelConfig } from '../core/models/config.js';
import { linearForms } from '../core/models/matrixForm.js';
import type { WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import { attentionInputs } from './attentionInputs.js';
import type { CpuDevice } from './cpuDevice.js';
import type { DeviceTensor, Executable } from './device.js';
import { uploadLayer } from './uploadLayer.js';
import { uploadRopeTables } from './ropeTensors.js';
import { StreamedBuffers } from './streamedBuffers.js';
import { TrainPrograms, type BlockVariant } from './trainPrograms.js';

export interface StreamedModel {
  readonly weights: WeightStore;
  /** Null for the base alone. */
  readonly adapter: Adapter | null;
  /** Multiplies the adapter's effect. */
  readonly strength: number;
}

type Tensors = ReadonlyMap<string, DeviceTensor>;
type LayerBatch = Pick<Batch, 'batchSize' | 'sequenceLength' | 'inputIds' | 'positionIds' | 'segmentIds'>;

/** Chooses a layer's program, which computes `y`. */
type LayerProgram = (batch: LayerBatch, variant: BlockVariant) => Promise<Executable>;

/** A model that is computed exactly on the CPU with one layer in memory at a time, so that it may have any size. */
export class StreamedLayers {
  readonly programs: TrainPrograms;
  private readonly config: ModelConfig;
  private readonly lora: LoraShape | null;
  private readonly buffers = new StreamedBuffers();

  constructor(
    private readonly device: CpuDevice,
    private readonly model: StreamedModel,
  ) {
    const { weights, adapter, strength } = model;
    this.config = weights.config;
    this.lora = adapter && strength !== 0 ? { ...adapter.lora, alpha: strength * adapter.lora.alpha } : null;
    this.programs = new TrainPrograms(device, { config: this.config, lora: this.lora, dropout: 0, keepActivations: false });
  }

  /** The memory into which weights are read, shared with whoever reads others in between. */
  get allocate(): StreamedBuffers['allocate'] {
    return this.buffers.allocate;
  }

  /**
   * Sequences of equal length → the last layer's output [sequences · length, H]. `afterLayer` receives what else the layer's
   * program computes; it may throw to cancel.
   */
  async run(
    ids: readonly (readonly number[])[],
    programOf: LayerProgram,
    afterLayer: (results: Map<string, DeviceTensor>) => Promise<void>,
  ): Promise<DeviceTensor> {
    const { device, config, programs } = this;
    const batch = batchOf(ids);
    const ropes: Tensors[] = [];
    const rope = async (_: number, kind: ModelConfig['attentionKinds'][number], length: number): Promise<Tensors> => {
      ropes.push(await uploadRopeTables(device, kind.rope!, config.headDim, length));
      return ropes.at(-1)!;
    };
    const { attention, release } = await attentionInputs({ device, programs, config, rope }, batch);
    let x = await device.upload('float32', [batch.inputIds.length, config.hiddenSize], this.embed(batch.inputIds));
    for (let layer = 0; layer < config.layerCount; layer++) {
      const results = await this.runLayer(layer, batch, programOf, new Map([...attention(layer), ['x', x]]));
      device.release(x);
      x = results.get('y')!;
      results.delete('y');
      await afterLayer(results);
    }
    release();
    for (const tables of ropes) tables.forEach((tensor) => device.release(tensor));
    return x;
  }

  /** x [N, H] → the head's input [N, H]. */
  async normed(x: DeviceTensor): Promise<DeviceTensor> {
    const { device, programs } = this;
    const tokens = x.shape[0]!;
    const all = Int32Array.from({ length: tokens }, (_, i) => i);
    const { name, shape } = weightTable(this.config).norm;
    const inputs = new Map([
      ['rows', await device.upload('int32', [tokens], all)],
      ['norm.weight', await device.upload('float32', shape, this.model.weights.readFloat32(name))],
    ]);
    const results = await (await programs.headRows(tokens, tokens)).run(new Map([...inputs, ['x', x]]));
    const normed = results.get('normed')!;
    results.delete('normed');
    [...results.values(), ...inputs.values()].forEach((tensor) => device.release(tensor));
    return normed;
  }

  dispose(): Promise<void> {
    return this.programs.dispose();
  }

  /** ids [N] → x [N, H]. */
  private embed(ids: Int32Array): Float32Array {
    const { hiddenSize, embeddingScale = 1 } = this.config;
    const { name } = weightTable(this.config).embedding;
    const x = new Float32Array(ids.length * hiddenSize);
    ids.forEach((id, i) => this.model.weights.readRows(name, id, x.subarray(i * hiddenSize, (i + 1) * hiddenSize)));
    return embeddingScale === 1 ? x : x.map((value) => value * Math.fround(embeddingScale));
  }

  private async runLayer(
    layer: number,
    batch: LayerBatch,
    programOf: LayerProgram,
    inputs: Tensors,
  ): Promise<Map<string, DeviceTensor>> {
    const { config, device, lora } = this;
    const { weights, adapter } = this.model;
    const forms = linearForms(weights, layer, 'exact');
    const adapted = isAdapted(lora, layer);
    const program = await programOf(batch, { forms, attentionKind: attentionKindOf(config, layer), adapted });
    const tensors = new Map(await uploadLayer(weights, device, layer, forms, this.buffers.allocate));
    if (adapted) {
      for (const { linear, matrix, localName, shape } of blockLoraParameters(config, lora)) {
        const { data } = adapter!.parameters.get(peftName(layer, linear, matrix))!;
        tensors.set(localName, await device.upload('float32', shape, data));
      }
    }
    const results = await program.run(new Map([...inputs, ...tensors]));
    tensors.forEach((tensor) => device.release(tensor));
    return results;
  }
}

function batchOf(ids: readonly (readonly number[])[]): LayerBatch {
  const sequenceLength = ids[0]!.length;
  const inputIds = Int32Array.from(ids.flat());
  return {
    batchSize: ids.length,
    sequenceLength,
    inputIds,
    positionIds: inputIds.map((_, index) => index % sequenceLength),
    segmentIds: new Int32Array(inputIds.length),
  };
}
