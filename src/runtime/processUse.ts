/** How much processor time and memory this process uses, from one reading to the next. */
export class ProcessUse {
  private time = performance.now();
  private busy = process.cpuUsage();

  /** Excludes everything up to now from the next reading, because the run was paused. */
  restart(): void {
    this.time = performance.now();
    this.busy = process.cpuUsage();
  }

  /** Usage since the last reading, in percent of one core, as in `top`: two busy threads are 200. */
  read(): { readonly cpuPercent: number; readonly memoryBytes: number } {
    const { user, system } = process.cpuUsage(this.busy); // microseconds
    const milliseconds = performance.now() - this.time;
    this.restart();
    const cpuPercent = milliseconds > 0 ? (user + system) / 10 / milliseconds : 0;
    return { cpuPercent: Math.round(10 * cpuPercent) / 10, memoryBytes: process.memoryUsage.rss() };
  }
}
