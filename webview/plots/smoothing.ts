import { Column } from './column.js';

/**
 * Exponential moving average, corrected for the bias at its start as in TensorBoard:
 * m ← w·m + (1 − w)·x, shown as m / (1 − wⁿ).
 */
export class Smoothed {
  readonly column = new Column();
  private mean = 0;
  /** wⁿ */
  private unseen = 1;

  constructor(
    private readonly source: Column,
    private weight: number,
  ) {}

  /** Adds what is new in the source; a different weight starts over. */
  update(weight: number): Column {
    if (weight !== this.weight) this.restart(weight);
    for (let index = this.column.length; index < this.source.length; index++) {
      this.mean = weight * this.mean + (1 - weight) * this.source.at(index);
      this.unseen *= weight;
      this.column.push(this.mean / (1 - this.unseen));
    }
    return this.column;
  }

  private restart(weight: number): void {
    this.weight = weight;
    this.mean = 0;
    this.unseen = 1;
    this.column.clear();
  }
}
