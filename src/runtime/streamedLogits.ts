import { blockLoraParameters, isAdapted, peftName, type LoraShape } from '../core/adapters/lora.js';
import type { Adapter } from '../core/adapters/peft.js';
import { attentionKindOf, type ModelConfig } from '../core/models/config.js';
import { linearForms } from '../core/models/matrixForm.js';
import type { WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import { vocabularySlices } from '../core/train/vocabularyPrograms.js';
import { attentionInputs } from './attentionInputs.js';
import { CpuDevice } from './cpuDevice.js';
import type { DeviceTensor } from './device.js';
import { uploadLayer } from './frozenWeights.js';
import { readMatrix } from './readMatrix.js';
import { uploadRopeTables } from './ropeTensors.js';
import { StreamedBuffers } from './streamedBuffers.js';
import { TrainPrograms } from './trainPrograms.js';

export interface LogitsRequest {
  readonly weights: WeightStore;
  /** Null for the base alone. */
  readonly adapter: Adapter | null;
  /** Multiplies the adapter's effect. */
  readonly strength: number;
  /** Sequences of equal length. */
  readonly ids: readonly (readonly number[])[];
  readonly threads: number;
  /** Called after each layer; may throw to cancel. */
  readonly onLayer: () => Promise<void>;
}

/**
 * The logits after every token, row-major [sequences · length, V], computed in fp32 on the CPU with one layer in memory at a time:
 * a model of any size needs hardly more memory than its largest layer.
 */
export async function streamedLogits(request: LogitsRequest): Promise<Float32Array> {
  const device = new CpuDevice(request.threads);
  const logits = new StreamedLogits(device, request);
  try {
    return await logits.compute();
  } finally {
    await logits.dispose();
    await device.dispose();
  }
}

type Tensors = ReadonlyMap<string, DeviceTensor>;

class StreamedLogits {
  private readonly config: ModelConfig;
  private readonly lora: LoraShape | null;
  private readonly programs: TrainPrograms;
  private readonly buffers = new StreamedBuffers();

  constructor(
    private readonly device: CpuDevice,
    private readonly request: LogitsRequest,
  ) {
    const { weights, adapter, strength } = request;
    this.config = weights.config;
    this.lora = adapter && strength !== 0 ? { ...adapter.lora, alpha: strength * adapter.lora.alpha } : null;
    this.programs = new TrainPrograms(device, { config: this.config, lora: this.lora, dropout: 0, keepActivations: false });
  }

  async compute(): Promise<Float32Array> {
    const { device, config, programs } = this;
    const batch = this.batch();
    const rope = (_: number, kind: ModelConfig['attentionKinds'][number], length: number): Promise<Tensors> =>
      uploadRopeTables(device, kind.rope!, config.headDim, length);
    const { attention, release } = await attentionInputs({ device, programs, config, rope }, batch);
    let x = await device.upload('float32', [batch.inputIds.length, config.hiddenSize], this.embed(batch.inputIds));
    for (let layer = 0; layer < config.layerCount; layer++) {
      const y = await this.runLayer(layer, batch, new Map([...attention(layer), ['x', x]]));
      device.release(x);
      x = y;
      await this.request.onLayer();
    }
    release();
    const logits = await this.head(x);
    device.release(x);
    return logits;
  }

  dispose(): Promise<void> {
    return this.programs.dispose();
  }

  private batch() {
    const { ids } = this.request;
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

  /** ids [N] → x [N, H]. */
  private embed(ids: Int32Array): Float32Array {
    const { hiddenSize, embeddingScale = 1 } = this.config;
    const { name } = weightTable(this.config).embedding;
    const x = new Float32Array(ids.length * hiddenSize);
    ids.forEach((id, i) => this.request.weights.readRows(name, id, x.subarray(i * hiddenSize, (i + 1) * hiddenSize)));
    return embeddingScale === 1 ? x : x.map((value) => value * Math.fround(embeddingScale));
  }

  private async runLayer(layer: number, batch: ReturnType<StreamedLogits['batch']>, inputs: Tensors): Promise<DeviceTensor> {
    const { config, device, lora } = this;
    const { weights } = this.request;
    const forms = linearForms(weights, layer, 'exact');
    const adapted = isAdapted(lora, layer);
    const program = await this.programs.forward(batch, {
      forms,
      attentionKind: attentionKindOf(config, layer),
      adapted,
      training: false,
    });
    const tensors = new Map(await uploadLayer(weights, device, layer, forms, this.buffers.allocate));
    if (adapted) {
      for (const { linear, matrix, localName, shape } of blockLoraParameters(config, lora)) {
        const { data } = this.request.adapter!.parameters.get(peftName(layer, linear, matrix))!;
        tensors.set(localName, await device.upload('float32', shape, data));
      }
    }
    const results = await program.run(new Map([...inputs, ...tensors]));
    tensors.forEach((tensor) => device.release(tensor));
    return results.get('y')!;
  }

  /**
   * x [N, H] → logits [N, V], one slice of the vocabulary at a time, which is widened to fp32 here: if ONNX Runtime did it, each
   * slice would cost fresh memory, because what it frees is no longer whole when the next slice needs it (docs/decisions/0021).
   */
  private async head(x: DeviceTensor): Promise<Float32Array> {
    const { config, device, programs } = this;
    const { weights } = this.request;
    const table = weightTable(config);
    const tokens = x.shape[0]!;
    const rows = await device.upload(
      'int32',
      [tokens],
      Int32Array.from({ length: tokens }, (_, i) => i),
    );
    const norm = await device.upload('float32', table.norm.shape, weights.readFloat32(table.norm.name));
    const inputs: Tensors = new Map([
      ['x', x],
      ['rows', rows],
      ['norm.weight', norm],
    ]);
    const start = await (await programs.headRows(tokens, tokens)).run(inputs);
    const normed = start.get('normed')!;
    const logits = new Float32Array(tokens * config.vocabSize);
    for (const slice of vocabularySlices(config, device.kind)) {
      const program = await programs.headLogits(tokens, slice.rows, 'F32');
      const parts = new Map<string, DeviceTensor>([['normed', normed]]);
      for (const { suffix, dtype, shape, data } of readMatrix(weights, table.head.name, 'F32', this.buffers.allocate, slice))
        parts.set(`lm_head.weight${suffix}`, await device.upload(dtype, shape, data));
      const result = (await program.run(parts)).get('logits')!;
      const values = await device.download(result);
      for (let token = 0; token < tokens; token++)
        logits.set(values.subarray(token * slice.rows, (token + 1) * slice.rows), token * config.vocabSize + slice.firstRow);
      device.release(result);
      parts.delete('normed');
      parts.forEach((tensor) => device.release(tensor));
    }
    [...start.values(), rows, norm].forEach((tensor) => device.release(tensor));
    return logits;
  }
}
