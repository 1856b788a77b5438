import type { WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import { vocabularySlices } from '../core/train/vocabularyPrograms.js';
import { CpuDevice } from './cpuDevice.js';
import type { DeviceTensor } from './device.js';
import { readMatrix } from './readMatrix.js';
import { StreamedLayers, type StreamedModel } from './streamedLayers.js';

export interface LogitsRequest extends StreamedModel {
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
export async function streamedLogits({ ids, threads, onLayer, ...model }: LogitsRequest): Promise<Float32Array> {
  const device = new CpuDevice(threads);
  const layers = new StreamedLayers(device, model);
  try {
    const x = await layers.run(ids, (batch, variant) => layers.programs.forward(batch, { ...variant, training: false }), onLayer);
    const normed = await layers.normed(x);
    device.release(x);
    const logits = await logitsOf(device, layers, model.weights, normed);
    device.release(normed);
    return logits;
  } finally {
    await layers.dispose();
    await device.dispose();
  }
}

/**
 * normed [N, H] → logits [N, V], one slice of the vocabulary at a time, which is widened to fp32 here: if ONNX Runtime did it, each
 * slice would cost fresh memory, because what it frees is no longer whole when the next slice needs it (docs/decisions/0021).
 */
async function logitsOf(
  device: CpuDevice,
  { programs, allocate }: StreamedLayers,
  weights: WeightStore,
  normed: DeviceTensor,
): Promise<Float32Array> {
  const { vocabSize } = weights.config;
  const { name } = weightTable(weights.config).head;
  const tokens = normed.shape[0]!;
  const logits = new Float32Array(tokens * vocabSize);
  for (const slice of vocabularySlices(weights.config, device.kind)) {
    const program = await programs.headLogits(tokens, slice.rows, 'F32');
    const parts = new Map<string, DeviceTensor>([['normed', normed]]);
    for (const { suffix, dtype, shape, data } of readMatrix(weights, name, 'F32', allocate, slice))
      parts.set(`lm_head.weight${suffix}`, await device.upload(dtype, shape, data));
    const result = (await program.run(parts)).get('logits')!;
    const values = await device.download(result);
    for (let token = 0; token < tokens; token++)
      logits.set(values.subarray(token * slice.rows, (token + 1) * slice.rows), token * vocabSize + slice.firstRow);
    device.release(result);
    parts.delete('normed');
    parts.forEach((tensor) => device.release(tensor));
  }
  return logits;
}
