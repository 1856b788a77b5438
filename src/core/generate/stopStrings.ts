/** Ends a text before the first stop string. Text that may be the beginning of one is held back until that is clear. */
export class StopStrings {
  private held = '';

  constructor(private readonly stops: readonly string[]) {}

  /** Returns the text that can be shown now, and whether a stop string was found. */
  push(piece: string): { readonly text: string; readonly stopped: boolean } {
    this.held += piece;
    const ends = this.stops.map((stop) => this.held.indexOf(stop)).filter((index) => index >= 0);
    if (ends.length > 0) return { text: this.release(Math.min(...ends)), stopped: true };
    const safe = this.held.length - Math.max(0, ...this.stops.map((stop) => overlap(this.held, stop)));
    return { text: this.release(safe), stopped: false };
  }

  /** Returns the text still held back, which did not become a stop string. */
  end(): string {
    return this.release(this.held.length);
  }

  private release(length: number): string {
    const text = this.held.slice(0, length);
    this.held = this.held.slice(length);
    return text;
  }
}

/** How many characters at the end of `text` are the beginning of `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
