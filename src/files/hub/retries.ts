import { setTimeout as pause } from 'node:timers/promises';
import { HubError } from './hubErrors.js';

/** How long a server may take. A blocked network should be noticed quickly, but a slow one deserves patience. */
export interface Patience {
  readonly answerMs: number;
  readonly silenceMs: number;
  /** Before the second attempt; doubled before each further one. */
  readonly pauseMs: number;
  /** Attempts in a row that may bring nothing. */
  readonly attempts: number;
}

export const usualPatience: Patience = { answerMs: 15_000, silenceMs: 30_000, pauseMs: 1000, attempts: 4 };

/** Decides whether something that failed is tried again. */
export class Retries {
  private fruitless = 0;

  constructor(
    private readonly patience: Patience,
    private readonly signal: AbortSignal,
  ) {}

  /** Something has arrived, so the server is there, however often it hangs up. */
  progressed(): void {
    this.fruitless = 0;
  }

  /** Waits until the next attempt; throws the error if there is none. */
  async after(error: unknown): Promise<void> {
    this.signal.throwIfAborted();
    const canRetry = error instanceof HubError && error.retryAfterMs !== undefined;
    if (!canRetry || ++this.fruitless === this.patience.attempts) throw error;
    await pause(error.retryAfterMs ?? this.patience.pauseMs * 2 ** (this.fruitless - 1), undefined, { signal: this.signal });
  }
}
