import type { ErrorCode } from '../core/errors.js';

/** How a command speaks: words for people, or with --json one JSON object a line and nothing else on stdout. */
export class Output {
  readonly json: boolean;
  /** A terminal reads along: progress bars and colours are welcome. */
  readonly interactive: boolean;
  readonly colour: boolean;

  constructor(json: boolean) {
    this.json = json;
    this.interactive = !json && process.stdout.isTTY && process.stderr.isTTY;
    // https://no-color.org
    this.colour = this.interactive && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  }

  /** Columns of the terminal; a readable line length elsewhere. */
  get width(): number {
    return Math.max(40, process.stdout.columns || 100);
  }

  /** A line for people. */
  say(line = ''): void {
    if (!this.json) process.stdout.write(`${line}\n`);
  }

  /** Text as it comes, without a line break. */
  stream(text: string): void {
    if (!this.json) process.stdout.write(text);
  }

  /** An object for programs. */
  emit(value: object): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** A line for people beside the results. */
  warn(message: string): void {
    process.stderr.write(`warning: ${message}\n`);
  }

  /** The end of a command that failed: always a line on stderr, and with --json an object on stdout as well. */
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
