/** How many crashes in how short a time are borne before giving up. */
export class CrashBudget {
  private times: number[] = [];

  constructor(
    private readonly allowed: number,
    private readonly windowMs: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Counts a crash; false when that was one too many. */
  spend(): boolean {
    const now = this.now();
    this.times = [...this.times.filter((time) => now - time < this.windowMs), now];
    return this.times.length <= this.allowed;
  }

  reset(): void {
    this.times = [];
  }
}
