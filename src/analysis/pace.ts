import { setImmediate as eventLoopTurn } from 'node:timers/promises';

/** Awaited as work is done: shows how far it is, lets messages in, and throws once the work is cancelled. */
export type Pace = (done: number, total: number) => Promise<void>;

export function cancellablePace(report: (progress: { done: number; total: number }) => void, signal: AbortSignal): Pace {
  return async (done, total) => {
    report({ done, total });
    await eventLoopTurn();
    signal.throwIfAborted();
  };
}
