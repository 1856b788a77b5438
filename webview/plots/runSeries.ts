import type { Metric, StepMetric } from '../../src/protocol/run.js';
import { Column } from './column.js';
import { Smoothed } from './smoothing.js';

export const stepMeasures = [
  'loss',
  'learning_rate',
  'grad_norm',
  'tokens_per_second',
  'cpu_percent',
  'memory_bytes',
] as const satisfies readonly (keyof StepMetric)[];
export type StepMeasure = (typeof stepMeasures)[number];

/** Measured values, and the steps they belong to. */
export interface Measured {
  readonly steps: Column;
  readonly values: Column;
}

/** The metrics of one run as columns. */
export class RunSeries {
  readonly steps = new Column();
  readonly measures: Readonly<Record<StepMeasure, Measured>> = {
    loss: this.atEveryStep(),
    learning_rate: this.atEveryStep(),
    grad_norm: this.atEveryStep(),
    tokens_per_second: this.atEveryStep(),
    cpu_percent: { steps: new Column(), values: new Column() },
    memory_bytes: { steps: new Column(), values: new Column() },
  };
  readonly evalSteps = new Column();
  readonly evalLoss = new Column();
  private readonly smoothing = new Map<StepMeasure, Smoothed>();
  private received = 0;

  /** Drops data already received. Returns false if metrics in between are missing. */
  append(first: number, metrics: readonly Metric[]): boolean {
    if (first === 0) this.clear();
    if (first > this.received) return false;
    for (const metric of metrics.slice(this.received - first)) this.push(metric);
    return true;
  }

  /** Accepts a gap whose metrics will not arrive any more. */
  appendAfterGap(first: number, metrics: readonly Metric[]): void {
    this.received = first;
    this.append(first, metrics);
  }

  smoothed(measure: StepMeasure, weight: number): Column {
    const smoothed = this.smoothing.get(measure) ?? new Smoothed(this.measures[measure].values, weight);
    this.smoothing.set(measure, smoothed);
    return smoothed.update(weight);
  }

  /** Evaluations begin before the first step. */
  get firstStep(): number | undefined {
    const firsts = [this.steps, this.evalSteps].filter(({ length }) => length > 0).map((column) => column.at(0));
    return firsts.length > 0 ? Math.min(...firsts) : undefined;
  }

  get lastStep(): number {
    return Math.max(this.steps.last ?? 0, this.evalSteps.last ?? 0);
  }

  /** The lowest evaluation loss and its step. */
  get best(): { readonly step: number; readonly loss: number } | undefined {
    if (this.evalLoss.length === 0) return undefined;
    const [index] = this.evalLoss.extremes(0, this.evalLoss.length);
    return { step: this.evalSteps.at(index), loss: this.evalLoss.at(index) };
  }

  private push(metric: Metric): void {
    this.received++;
    if ('eval_loss' in metric) {
      this.evalSteps.push(metric.step);
      this.evalLoss.push(metric.eval_loss);
      return;
    }
    this.steps.push(metric.step);
    for (const measure of stepMeasures) {
      const value = metric[measure];
      if (value === undefined) continue;
      const { steps, values } = this.measures[measure];
      if (steps !== this.steps) steps.push(metric.step);
      values.push(value);
    }
  }

  private clear(): void {
    this.received = 0;
    for (const column of [this.steps, this.evalSteps, this.evalLoss]) column.clear();
    for (const { steps, values } of Object.values(this.measures)) {
      steps.clear();
      values.clear();
    }
    this.smoothing.clear();
  }

  private atEveryStep(): Measured {
    return { steps: this.steps, values: new Column() };
  }
}
