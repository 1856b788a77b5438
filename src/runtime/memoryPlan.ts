/** @file What `auto` makes of the memory there is, before anything is loaded. */
import type { DeviceKind } from '../core/graph/types.js';
import type { BaseDType } from '../core/llama/matrixForm.js';
import { estimateMemory, type MemoryEstimate, type MemoryRequest } from '../core/train/memoryEstimate.js';

export interface MemoryWish extends Pick<MemoryRequest, 'weights' | 'lora' | 'dropout' | 'batch' | 'device' | 'dataBytes'> {
  /** To choose from, the best first. */
  readonly dtypes: readonly BaseDType[];
  readonly checkpointing: Switch;
  readonly streaming: Switch;
}

type Switch = 'auto' | 'on' | 'off';

/** `auto` halves the base on a GPU, whose memory is what runs out first; on the CPU fp32 is faster. */
export function dtypesToTry(wish: 'auto' | BaseDType, device: DeviceKind, has16Bit: boolean): readonly BaseDType[] {
  if (wish !== 'auto') return [wish];
  if (device === 'cpu') return ['fp32', 'fp16', 'int4'];
  return has16Bit ? ['fp16', 'int4'] : ['fp32', 'int4'];
}

export interface MemoryPlan {
  /** With every `auto` decided. */
  readonly request: MemoryRequest;
  readonly estimate: MemoryEstimate;
  /** What the process may hold. */
  readonly availableBytes: number;
}

/** The first choice that fits, from the fastest and most exact to the smallest; the smallest where none does. */
export function planMemory(wish: MemoryWish, availableBytes: number): MemoryPlan {
  const { dtypes, checkpointing, streaming, ...given } = wish;
  const choices = settled(streaming).flatMap((layerStreaming) =>
    dtypes.flatMap((baseDType) =>
      settled(checkpointing).map((gradientCheckpointing) => ({ ...given, baseDType, gradientCheckpointing, layerStreaming })),
    ),
  );
  let plan: MemoryPlan | undefined;
  for (const request of choices) {
    plan = { request, estimate: estimateMemory(request), availableBytes };
    if (isComfortable(plan)) break;
  }
  return plan!;
}

function settled(wish: Switch): boolean[] {
  return wish === 'auto' ? [false, true] : [wish === 'on'];
}

/** What a GPU of its own memory has left cannot be known, so that counts here as if it were the machine's, as many a GPU's is. */
function isComfortable({ estimate, availableBytes }: MemoryPlan): boolean {
  return estimate.hostBytes + estimate.deviceBytes <= availableBytes;
}

export function fits({ estimate, availableBytes }: Pick<MemoryPlan, 'estimate' | 'availableBytes'>): boolean {
  return estimate.hostBytes <= availableBytes;
}
