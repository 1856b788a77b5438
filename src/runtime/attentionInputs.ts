import { attentionKindOf, type AttentionKind, type ModelConfig } from '../core/models/config.js';
import type { Batch } from '../core/data/batch.js';
import { effectiveWindow, effectiveWindows } from '../core/train/programs.js';
import type { Device, DeviceTensor } from './device.js';
import type { TrainPrograms } from './trainPrograms.js';

type Tensors = ReadonlyMap<string, DeviceTensor>;

export interface AttentionInputs {
  /** Masks, positions and rotary tables for the layer's kind of attention. */
  readonly attention: (layer: number) => Tensors;
  /** Releases what belongs only to this batch; the rotary tables do not. */
  readonly release: () => void;
}

interface Engine {
  readonly device: Device;
  readonly programs: TrainPrograms;
  readonly config: ModelConfig;
  /** cos and sin for a kind of attention, by its index. */
  readonly rope: (index: number, kind: AttentionKind, sequenceLength: number) => Promise<Tensors>;
}

/** What the blocks of a batch need to attend. */
export async function attentionInputs(
  { device, programs, config, rope }: Engine,
  batch: Pick<Batch, 'batchSize' | 'sequenceLength' | 'segmentIds' | 'positionIds'>,
): Promise<AttentionInputs> {
  const { batchSize, sequenceLength } = batch;
  const release = (tensors: Tensors) => tensors.forEach((tensor) => device.release(tensor));
  const shape = [batchSize, sequenceLength];
  const segments = new Map([['segment_ids', await device.upload('int32', shape, batch.segmentIds.slice())]]);
  const masks = new Map<number | null, Tensors>();
  for (const window of effectiveWindows(config, sequenceLength))
    masks.set(window, await (await programs.mask(batch, window)).run(segments));
  release(segments);
  const positions = new Map([
    ['position_ids', await device.upload('int64', shape, BigInt64Array.from(batch.positionIds, BigInt))],
  ]);
  const kinds: Tensors[] = [];
  for (const [index, kind] of config.attentionKinds.entries()) {
    const rotation = kind.rope ? [...(await rope(index, kind, sequenceLength)), ...positions] : [];
    kinds.push(new Map([...masks.get(effectiveWindow(kind, sequenceLength))!, ...rotation]));
  }
  return {
    attention: (layer) => kinds[attentionKindOf(config, layer)]!,
    release: () => [...masks.values(), positions].forEach(release),
  };
}
