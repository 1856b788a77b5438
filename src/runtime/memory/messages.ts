/** @file Messages for when memory is short. Each one names what would fit, or what takes less. */
import { bytesInWords } from '../../l10n/bytesInWords.js';
import { UserError } from '../../core/errors.js';
import { cacheBytesPerToken, decodeWeightBytes } from './decoding.js';
import { matrixForm, ofBlocks } from '../../core/models/matrixForm.js';
import type { WeightStore } from '../../core/models/weights.js';
import { remedies, type Remedy, type SettingChange } from './remedies.js';
import type { MemoryEstimate } from './estimate.js';
import { t } from '../../l10n/text.js';
import type { DeviceSetting } from '../chooseDevice.js';
import type { DecodePrecision } from '../../core/models/matrixForm.js';
import { failureReason } from '../failureReason.js';
import { fits, type MemoryPlan } from './plan.js';
import { saysOutOfMemory } from './outOfMemory.js';

/** The error when a run does not fit, before anything is loaded. */
export function tooLarge(plan: MemoryPlan): UserError {
  const { estimate, availableBytes } = plan;
  const [wanted, free] = [bytesInWords(estimate.hostBytes), bytesInWords(availableBytes)];
  const advice = whatWouldFit(plan, (smaller) => fits({ estimate: smaller, availableBytes }));
  return new UserError(
    'out-of-memory',
    t`Training would take about ${wanted} of memory, but only ${free} is available. ${advice} To try anyway, set engine.memory_check to "warn".`,
  );
}

/**
 * The error for an allocation that failed although the run was expected to fit, or was not checked. If that made the device fail,
 * the error keeps the code 'device-failed', because another device may work.
 */
export function ranOut(plan: MemoryPlan, cause: unknown): UserError {
  const code = cause instanceof UserError && cause.code === 'device-failed' ? cause.code : 'out-of-memory';
  const [reason, expected, advice] = [failureReason(cause), bytesInWords(total(plan.estimate)), clearlySmaller(plan)];
  const message = saysOutOfMemory(cause)
    ? t`Memory ran out (${reason}); ${expected} was expected to be enough. ${advice}`
    : t`Memory has probably run out (${reason}); ${expected} was expected to be enough. ${advice}`;
  return new UserError(code, message, { cause });
}

interface TextModelRequest {
  readonly weights: WeightStore;
  readonly dtype: DecodePrecision;
  readonly device: DeviceSetting;
}

/** The error for an allocation that failed in generation, while loading the model or while writing. */
export function writingRanOut(
  { weights, dtype, device }: TextModelRequest,
  moment: 'loading' | 'writing',
  cause: unknown,
): UserError {
  const bytes = decodeWeightBytes(weights, (matrix) => matrixForm(matrix, ofBlocks(dtype)));
  const in4Bits = decodeWeightBytes(weights, (matrix) => matrixForm({ ...matrix, storedType: 'F32' }, 'int4'));
  const ways = [
    ...(moment === 'writing' ? [t`a shorter prompt (a token takes ${bytesInWords(cacheBytesPerToken(weights.config))})`] : []),
    ...(in4Bits <= 0.8 * bytes ? [t`the model as a GGUF file in 4 bits (about ${bytesInWords(in4Bits)})`] : []),
    t`a smaller model`,
    ...(device === 'webgpu' ? [t`the device "cpu"`] : []),
  ];
  const [reason, taken, less] = [failureReason(cause), bytesInWords(bytes), listed(ways)];
  const message =
    moment === 'loading'
      ? t`Memory ran out while the model was loaded (${reason}); the model’s weights alone take about ${taken}. What takes less: ${less}.`
      : t`Memory ran out while text was being generated (${reason}); the model’s weights alone take about ${taken}. What takes less: ${less}.`;
  return new UserError('out-of-memory', message, { cause });
}

/**
 * The message for a process that vanished while holding `heldBytes` (by default, the estimate); null if memory is unlikely to be
 * the reason.
 */
export function killedMessage(plan: MemoryPlan): (heldBytes?: number) => string | null {
  const { availableBytes } = plan;
  let advice: string | undefined;
  return (heldBytes = plan.estimate.hostBytes) => {
    if (heldBytes < nearTheLimit * availableBytes) return null;
    advice ??= clearlySmaller(plan);
    const [held, free] = [bytesInWords(heldBytes), bytesInWords(availableBytes)];
    return t`The process ended unexpectedly. It needed ${held} of the ${free} that were available, so the system may have killed it for lack of memory. ${advice}`;
  };
}

const nearTheLimit = 0.8;

/** Advice on what is clearly smaller, for when nothing is known about the limit except that it was reached. */
function clearlySmaller(plan: MemoryPlan): string {
  const limit = 0.8 * Math.min(total(plan.estimate), plan.availableBytes);
  return whatWouldFit(plan, (smaller) => total(smaller) <= limit);
}

function total({ hostBytes, deviceBytes }: MemoryEstimate): number {
  return hostBytes + deviceBytes;
}

function whatWouldFit({ request }: MemoryPlan, isSmallEnough: (estimate: MemoryEstimate) => boolean): string {
  const found = remedies(request, isSmallEnough);
  if (found.length === 0) return t`No setting would make it fit: take a smaller model, or free memory.`;
  return t`What would fit: ${listed(found.map(remedyInWords))}.`;
}

export function remedyInWords({ changes, estimate }: Remedy): string {
  const together = changes.map(changeInWords).reduce((before, change) => t`${before} with ${change}`);
  return t`${together} (about ${bytesInWords(total(estimate))})`;
}

function listed(ways: readonly string[]): string {
  return ways.reduce((before, way) => t`${before}; ${way}`);
}

function changeInWords({ setting, from, to }: SettingChange): string {
  return `${setting} ${from} → ${to}`;
}
