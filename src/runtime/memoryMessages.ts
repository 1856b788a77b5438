/** @file What people are told where memory is short: each message names what would fit. */
import { bytesInWords } from '../core/bytesInWords.js';
import { UserError } from '../core/errors.js';
import { remedies, type Remedy, type SettingChange } from '../core/train/memoryAdvice.js';
import type { MemoryEstimate } from '../core/train/memoryEstimate.js';
import { reasonOf } from './engineWords.js';
import { fits, type MemoryPlan } from './memoryPlan.js';
import { saysOutOfMemory } from './outOfMemory.js';

/** Before anything is loaded. */
export function tooLarge(plan: MemoryPlan): UserError {
  const { estimate, availableBytes } = plan;
  const figures = `Training would take about ${bytesInWords(estimate.hostBytes)} of memory, and ${bytesInWords(availableBytes)} can be had`;
  const advice = whatWouldFit(plan, (smaller) => fits({ estimate: smaller, availableBytes }));
  return new UserError('out-of-memory', `${figures}. ${advice} To try it all the same, set engine.memory_check to "warn".`);
}

/** An allocation failed though it was thought to fit, or nobody asked. A device that failed for it has failed: another may not. */
export function ranOut(plan: MemoryPlan, cause: unknown): UserError {
  const code = cause instanceof UserError && cause.code === 'device-failed' ? cause.code : 'out-of-memory';
  const what = saysOutOfMemory(cause) ? 'Memory ran out' : 'Memory has probably run out';
  const expected = `${bytesInWords(total(plan.estimate))} was expected to be enough`;
  return new UserError(code, `${what} (${reasonOf(cause)}); ${expected}. ${clearlySmaller(plan)}`, { cause });
}

/**
 * What to say of a process that vanished when it had held so much, by default as much as was expected; null where memory can
 * hardly have been the reason.
 */
export function lastWords(plan: MemoryPlan): (heldBytes?: number) => string | null {
  const { availableBytes } = plan;
  let advice: string | undefined;
  return (heldBytes = plan.estimate.hostBytes) => {
    if (heldBytes < nearTheLimit * availableBytes) return null;
    advice ??= clearlySmaller(plan);
    const figures = `${bytesInWords(heldBytes)} of the ${bytesInWords(availableBytes)} that could be had`;
    return `The process is gone. It needed ${figures}, so the system may have ended it for lack of memory. ${advice}`;
  };
}

const nearTheLimit = 0.8;

/** Where the limit is not known but that it was reached. */
function clearlySmaller(plan: MemoryPlan): string {
  const most = 0.8 * Math.min(total(plan.estimate), plan.availableBytes);
  return whatWouldFit(plan, (smaller) => total(smaller) <= most);
}

function total({ hostBytes, deviceBytes }: MemoryEstimate): number {
  return hostBytes + deviceBytes;
}

function whatWouldFit({ request }: MemoryPlan, isSmallEnough: (estimate: MemoryEstimate) => boolean): string {
  const found = remedies(request, isSmallEnough);
  if (found.length === 0) return 'No setting would make it fit: take a smaller model, or free memory.';
  return `What would fit: ${found.map(remedyInWords).join('; ')}.`;
}

export function remedyInWords({ changes, estimate }: Remedy): string {
  return `${changes.map(changeInWords).join(' with ')} (about ${bytesInWords(total(estimate))})`;
}

function changeInWords({ setting, from, to }: SettingChange): string {
  return `${setting} ${from} → ${to}`;
}
