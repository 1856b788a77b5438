import { ifReadable } from '../files/reading.js';
import { sweepReport } from '../sweep/sweepReport.js';
import { LiveText } from './liveText.js';
import type { Output } from './output.js';
import { progressInWords, sweepTable } from './sweepText.js';

const lookedAtEveryMs = 500;

/** Shows how the runs of a sweep get on while other processes train them: as a table on a terminal, elsewhere a line for each turn. */
export class SweepView {
  private readonly live: LiveText;
  private readonly timer: NodeJS.Timeout;
  private readonly said = new Map<string, string>();

  constructor(
    private readonly output: Output,
    private readonly folder: string,
  ) {
    this.live = new LiveText(output);
    this.timer = setInterval(() => ifReadable(() => this.look()), lookedAtEveryMs);
  }

  end(): void {
    clearInterval(this.timer);
    this.look();
    this.live.clear();
  }

  private look(): void {
    const report = sweepReport(this.folder);
    if (this.output.interactive) return this.live.show(sweepTable(report));
    for (const row of report.rows) {
      const progress = progressInWords(row);
      const isAtRest = row.status !== 'preparing' && row.status !== 'running' && row.step > 0;
      if (!isAtRest || this.said.get(row.runId) === progress) continue;
      this.said.set(row.runId, progress);
      const loss = row.heldOutLoss === null ? '' : `, held-out loss ${row.heldOutLoss.toFixed(4)}`;
      this.output.say(`${row.name}: ${progress}${loss}`);
    }
  }
}
