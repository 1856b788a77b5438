/** @file What `auto` makes of the memory there is, before anything is loaded. */
import type { DeviceKind } from '../../core/graph/types.js';
import { isPlain } from '../../core/models/frozenMatrix.js';
import type { BaseDType } from '../../core/models/matrixForm.js';
import { estimateMemory, type MemoryEstimate, type MemoryRequest } from './estimate.js';

export interface MemoryOptions extends Pick<MemoryRequest, 'weights' | 'lora' | 'dropout' | 'batch' | 'device' | 'dataBytes'> {
  /** To choose from, the best first. */
  readonly dtypes: readonly BaseDType[];
  readonly checkpointing: Switch;
  readonly streaming: Switch;
}

type Switch = 'auto' | 'on' | 'off';

/** `auto` halves the base on a GPU, whose memory is what runs out first; on the CPU fp32 is faster. */
export function dtypesToTry(setting: 'auto' | BaseDType, device: DeviceKind, has16Bit: boolean): readonly BaseDType[] {
  if (setting !== 'auto') return [setting];
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
export function planMemory(options: MemoryOptions, availableBytes: number): MemoryPlan {
  const { dtypes, checkpointing, streaming, ...given } = options;
  const recomputing = checkpointing === 'auto' ? [false, true] : [checkpointing === 'on'];
  const choices = basesToTry(given, dtypes, streaming).flatMap((base) =>
    recomputing.map((gradientCheckpointing) => ({ ...given, ...base, gradientCheckpointing })),
  );
  let plan: MemoryPlan | undefined;
  for (const request of choices) {
    plan = { request, estimate: estimateMemory(request), availableBytes };
    if (isComfortable(plan)) break;
  }
  return plan!;
}

/**
 * The most exact first. On the CPU weights are streamed before they are rounded. Where rounding loses next to nothing, as of a
 * quantized file, or streaming takes much longer than a step, as on a GPU, only the smallest base is (docs/decisions/0010).
 */
function basesToTry(
  { weights, device }: Pick<MemoryOptions, 'weights' | 'device'>,
  dtypes: readonly BaseDType[],
  streaming: Switch,
): Pick<MemoryRequest, 'baseDType' | 'layerStreaming'>[] {
  const base = (layerStreaming: boolean) => (baseDType: BaseDType) => ({ baseDType, layerStreaming });
  if (streaming !== 'auto') return dtypes.map(base(streaming === 'on'));
  if (device === 'cpu' && !isQuantized(weights)) return dtypes.flatMap((dtype) => [base(false)(dtype), base(true)(dtype)]);
  return [...dtypes.map(base(false)), base(true)(dtypes.at(-1)!)];
}

function isQuantized(weights: MemoryOptions['weights']): boolean {
  return weights.names().some((name) => !isPlain(weights.info(name)!.storedType));
}

/** What a GPU of its own memory has left cannot be known, so that counts here as if it were the machine's, as many a GPU's is. */
function isComfortable({ estimate, availableBytes }: MemoryPlan): boolean {
  return estimate.hostBytes + estimate.deviceBytes <= availableBytes;
}

export function fits({ estimate, availableBytes }: Pick<MemoryPlan, 'estimate' | 'availableBytes'>): boolean {
  return estimate.hostBytes <= availableBytes;
}
