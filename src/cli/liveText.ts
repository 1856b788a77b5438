import { createLogUpdate } from 'log-update';
import type { Output } from './output.js';

/** Text at the bottom of the terminal that is redrawn in place. Shows nothing where the output is not a terminal. */
export class LiveText {
  private readonly draw = createLogUpdate(process.stderr);
  private shown = '';

  constructor(private readonly output: Output) {}

  show(text: string): void {
    if (!this.output.interactive) return;
    this.shown = text;
    this.draw(text);
  }

  /** Prints a line that stays, above the text. */
  say(line: string): void {
    if (this.shown === '') return this.output.say(line);
    this.draw.clear();
    this.output.say(line);
    this.draw(this.shown);
  }

  /** Removes the text; what is shown next takes its place. */
  clear(): void {
    if (this.shown !== '') this.draw.clear();
    this.end();
  }

  /** Leaves the text where it is; what is shown next goes below. */
  end(): void {
    if (this.shown === '') return;
    this.shown = '';
    this.draw.done();
  }
}

const barColumns = 24;

/** ███████░░░░░░░░░░░░░░░░░ */
export function progressBar(done: number, total: number): string {
  const filled = total === 0 ? barColumns : Math.round((barColumns * Math.min(done, total)) / total);
  return '█'.repeat(filled).padEnd(barColumns, '░');
}
