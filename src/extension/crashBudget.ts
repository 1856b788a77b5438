/** Limits how many crashes within a period of time are tolerated before giving up. */
export class CrashBudget {
  private times: number[] = [];

  constructor(
    private readonly allowed: number,
    private readonly windowMs: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Counts a crash. Returns false if it was one too many. */
  spend(): boolean {
    const now = this.now();
    this.times = [...this.times.filter((time) => now - time < this.windowMs), now];
    return this.times.length <= this.allowed;
  }

  reset(): void {
    this.times = [];
  }
}
