import type { Metric, StepMetric } from '../protocol/run.js';
import { lossCurve } from '../runs/lossCurve.js';
import { duration } from './format.js';
import { LiveText, progressBar } from './liveText.js';
import { lossChart } from './lossChart.js';
import type { Output } from './output.js';

const redrawnEveryMs = 200;

/** Shows a run in progress: its loss curve and a bar on a terminal, lines elsewhere, with --json the metrics as they are logged. */
export class TrainingView {
  private readonly live: LiveText;
  private readonly metrics: Metric[] = [];
  private firstStep: StepMetric | undefined;
  private drawnAt = -Infinity;

  constructor(private readonly output: Output) {
    this.live = new LiveText(output);
  }

  show(metric: Metric, totalSteps: number): void {
    this.output.emit(metric);
    if (this.output.interactive) this.metrics.push(metric);
    if ('eval_loss' in metric) return this.line(`step ${metric.step}: held-out loss ${metric.eval_loss.toFixed(4)}`);
    this.firstStep ??= metric;
    if (this.output.interactive) return this.draw(metric, totalSteps);
    const { step, loss, learning_rate, tokens_per_second } = metric;
    const rate = learning_rate.toExponential(2);
    const numbers = `loss ${loss.toFixed(4)}  learning rate ${rate}  ${tokens_per_second.toFixed(0)} tokens/s`;
    this.output.say(`step ${step}/${totalSteps}  ${numbers}  ${this.timeLeft(metric, totalSteps)} left`);
  }

  /** Prints a line above the curve. */
  line(text: string): void {
    this.live.say(text);
  }

  end(): void {
    this.live.end();
  }

  private draw(metric: StepMetric, totalSteps: number): void {
    const { step, loss, tokens_per_second } = metric;
    if (performance.now() - this.drawnAt < redrawnEveryMs && step < totalSteps) return;
    this.drawnAt = performance.now();
    const chart = lossChart(lossCurve(this.metrics), this.output.chartWidth, this.output.colour);
    const numbers = `loss ${loss.toFixed(3)}  ${tokens_per_second.toFixed(0)} tokens/s`;
    const left = `${this.timeLeft(metric, totalSteps)} left`;
    this.live.show(`${chart}\n${progressBar(step, totalSteps)} ${step}/${totalSteps}  ${numbers}  ${left}`);
  }

  /** Assumes the average speed since this process began showing the run. */
  private timeLeft(metric: StepMetric, totalSteps: number): string {
    const first = this.firstStep!;
    const stepsDone = metric.step - first.step;
    if (stepsDone === 0) return '?';
    return duration(((metric.elapsed_seconds - first.elapsed_seconds) / stepsDone) * (totalSteps - metric.step));
  }
}
