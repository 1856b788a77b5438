import type { Cancellation } from '../core/cancellation.js';

/** A limited number of places, given out in the order in which they were asked for. */
export class Semaphore {
  private readonly waiting = new Set<() => void>();

  constructor(private free: number) {}

  /** Waits for a place, and returns false if the wait was cancelled. Whoever has a place releases it. */
  acquire(signal?: Cancellation): Promise<boolean> {
    if (signal?.aborted) return Promise.resolve(false);
    if (this.free > 0) {
      this.free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const admit = () => {
        signal?.removeEventListener('abort', giveUp);
        resolve(true);
      };
      const giveUp = () => {
        signal?.removeEventListener('abort', giveUp);
        this.waiting.delete(admit);
        resolve(false);
      };
      this.waiting.add(admit);
      signal?.addEventListener('abort', giveUp);
    });
  }

  release(): void {
    const [next] = this.waiting;
    if (!next) return void this.free++;
    this.waiting.delete(next);
    next();
  }
}
