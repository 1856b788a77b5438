/** Aborts its signal when it has not been restarted for a while. */
export class Watchdog {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout;

  constructor(milliseconds: number) {
    this.timer = this.start(milliseconds);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  restart(milliseconds: number): void {
    this.stop();
    this.timer = this.start(milliseconds);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private start(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.controller.abort(), milliseconds);
  }
}
