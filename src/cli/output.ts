import type { ErrorCode } from '../core/errors.js';

/** The output of a command: text for people or, with --json, one JSON object per line and nothing else on stdout. */
export class Output {
  readonly json: boolean;
  /** Whether the output goes to a terminal, where progress bars and colours are welcome. */
  readonly interactive: boolean;
  readonly colour: boolean;

  constructor(json: boolean) {
    this.json = json;
    this.interactive = !json && process.stdout.isTTY && process.stderr.isTTY;
    // https://no-color.org
    this.colour = this.interactive && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  }

  /** Width of the terminal in columns, or a readable line length elsewhere. */
  get width(): number {
    return Math.max(40, process.stdout.columns || 100);
  }

  /** Width for charts and columns, which become hard to read on very wide terminals. */
  get chartWidth(): number {
    return Math.min(this.width, 100);
  }

  /** Prints a line for people. */
  say(line = ''): void {
    if (!this.json) process.stdout.write(`${line}\n`);
  }

  /** Prints text as it arrives, without a line break. */
  stream(text: string): void {
    if (!this.json) process.stdout.write(text);
  }

  /** Prints an object for programs. */
  emit(value: object): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Prints a line for people on stderr, apart from the results. */
  warn(message: string): void {
    process.stderr.write(`warning: ${message}\n`);
  }

  /** Reports that a command failed: always a line on stderr, and with --json also an object on stdout. */
  fail(code: ErrorCode | 'cancelled' | 'internal', message: string): void {
    process.stderr.write(`error: ${message}\n`);
    this.emit({ error: { code, message } });
  }

  bold(text: string): string {
    return this.colour ? `\u001b[1m${text}\u001b[22m` : text;
  }

  faint(text: string): string {
    return this.colour ? `\u001b[2m${text}\u001b[22m` : text;
  }
}
