/** @file What `auto` chooses for the available memory, before anything is loaded. */
import type { DeviceKind } from '../../core/graph/types.js';
import { isPlain } from '../../core/models/frozenMatrix.js';
import type { BaseDType } from '../../core/models/matrixForm.js';
import { estimateMemory, type MemoryEstimate, type MemoryRequest } from './estimate.js';

export interface MemoryOptions extends Pick<MemoryRequest, 'weights' | 'lora' | 'dropout' | 'batch' | 'device' | 'dataBytes'> {
  /** The types to choose from, best first. */
  readonly dtypes: readonly BaseDType[];
  readonly checkpointing: Switch;
  readonly streaming: Switch;
}

type Switch = 'auto' | 'on' | 'off';

/** What a device is good at. */
export interface DeviceTraits {
  readonly kind: DeviceKind;
  readonly has16Bit: boolean;
  /** Whether products in integers are much faster than in fp32. */
  readonly hasFastIntegers: boolean;
}

/** `auto` halves the base on a GPU, whose memory runs out first; on the CPU, fp16 would be slower. */
export function dtypesToTry(
  setting: 'auto' | BaseDType,
  { kind, has16Bit, hasFastIntegers }: DeviceTraits,
): readonly BaseDType[] {
  if (setting !== 'auto') return [setting];
  if (kind === 'cpu') return [...(hasFastIntegers ? ['int8' as const] : []), 'fp32', 'fp16', 'int4'];
  return has16Bit ? ['fp16', 'int4'] : ['fp32', 'int4'];
}

export interface MemoryPlan {
  /** The request with every `auto` resolved. */
  readonly request: MemoryRequest;
  readonly estimate: MemoryEstimate;
  /** How much the process may hold. */
  readonly availableBytes: number;
}

/** The first choice that fits, from the fastest and most exact to the smallest; the smallest if none fits. */
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
 * Fastest first, then most exact. On the CPU, streaming weights is tried before rounding them, except for integers: every time
 * that a layer is read, it would be rounded anew. If rounding loses next to nothing, as with a
 * quantized file, or streaming takes much longer than a step, as on a GPU, only the smallest base is streamed
 * (docs/decisions/0010).
 */
function basesToTry(
  { weights, device }: Pick<MemoryOptions, 'weights' | 'device'>,
  dtypes: readonly BaseDType[],
  streaming: Switch,
): Pick<MemoryRequest, 'baseDType' | 'layerStreaming'>[] {
  const base = (layerStreaming: boolean) => (baseDType: BaseDType) => ({ baseDType, layerStreaming });
  if (streaming !== 'auto') return dtypes.map(base(streaming === 'on'));
  if (device === 'cpu' && !isQuantized(weights)) {
    const streams = (dtype: BaseDType): boolean => dtype !== 'int8' || dtypes.length === 1;
    return dtypes.flatMap((dtype) => [base(false)(dtype), ...(streams(dtype) ? [base(true)(dtype)] : [])]);
  }
  return [...dtypes.map(base(false)), base(true)(dtypes.at(-1)!)];
}

function isQuantized(weights: MemoryOptions['weights']): boolean {
  return weights.names().some((name) => !isPlain(weights.info(name)!.storedType));
}

/** The free memory of a discrete GPU is unknown, so its use counts against the machine's memory, which many GPUs share anyway. */
function isComfortable({ estimate, availableBytes }: MemoryPlan): boolean {
  return estimate.hostBytes + estimate.deviceBytes <= availableBytes;
}

export function fits({ estimate, availableBytes }: Pick<MemoryPlan, 'estimate' | 'availableBytes'>): boolean {
  return estimate.hostBytes <= availableBytes;
}
