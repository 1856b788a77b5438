/** How busy this process keeps the processor and how much memory it holds, reading by reading. */
export class ProcessUse {
  private time = performance.now();
  private busy = process.cpuUsage();

  /** What was used up to now belongs to no reading: the run was paused. */
  restart(): void {
    this.time = performance.now();
    this.busy = process.cpuUsage();
  }

  /** Since the last reading. Percent of one core, as `top` has it: two busy threads are 200. */
  read(): { readonly cpuPercent: number; readonly memoryBytes: number } {
    const { user, system } = process.cpuUsage(this.busy); // microseconds
    const milliseconds = performance.now() - this.time;
    this.restart();
    const cpuPercent = milliseconds > 0 ? (user + system) / 10 / milliseconds : 0;
    return { cpuPercent: Math.round(10 * cpuPercent) / 10, memoryBytes: process.memoryUsage.rss() };
  }
}
