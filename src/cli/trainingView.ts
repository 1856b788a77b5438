import { MultiBar, type SingleBar } from 'cli-progress';
import type { Metric, StepMetric } from '../protocol/run.js';
import type { Output } from './output.js';
import { duration } from './format.js';

/** Shows a run in progress: a bar on a terminal, plain lines elsewhere, and with --json the metrics as they are logged. */
export class TrainingView {
  private bars: MultiBar | undefined;
  private bar: SingleBar | undefined;
  private firstMetric: StepMetric | undefined;

  constructor(private readonly output: Output) {}

  show(metric: Metric, totalSteps: number): void {
    this.output.emit(metric);
    if ('eval_loss' in metric) return this.line(`step ${metric.step}: held-out loss ${metric.eval_loss.toFixed(4)}`);
    this.firstMetric ??= metric;
    if (this.output.interactive) return this.draw(metric, totalSteps);
    const { step, loss, learning_rate, tokens_per_second } = metric;
    const rate = learning_rate.toExponential(2);
    const numbers = `loss ${loss.toFixed(4)}  learning rate ${rate}  ${tokens_per_second.toFixed(0)} tokens/s`;
    this.output.say(`step ${step}/${totalSteps}  ${numbers}  ${this.timeLeft(metric, totalSteps)} left`);
  }

  /** Prints a line above the bar. */
  line(text: string): void {
    // cli-progress needs the line break to know where the text ends.
    if (this.bars) this.bars.log(`${text}\n`);
    else this.output.say(text);
  }

  end(): void {
    this.bars?.stop();
    this.bars = this.bar = undefined;
  }

  private draw(metric: StepMetric, totalSteps: number): void {
    this.bars ??= new MultiBar({
      format: barFormat,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      hideCursor: true,
      gracefulExit: false,
    });
    this.bar ??= this.bars.create(totalSteps, metric.step - 1);
    this.bar.update(metric.step, {
      loss: metric.loss.toFixed(3),
      speed: metric.tokens_per_second.toFixed(0),
      left: this.timeLeft(metric, totalSteps),
    });
  }

  /** Assumes the average speed since this process began showing the run. */
  private timeLeft(metric: StepMetric, totalSteps: number): string {
    const first = this.firstMetric!;
    const stepsDone = metric.step - first.step;
    if (stepsDone === 0) return '?';
    return duration(((metric.elapsed_seconds - first.elapsed_seconds) / stepsDone) * (totalSteps - metric.step));
  }
}

const barFormat = '{bar} {value}/{total}  loss {loss}  {speed} tokens/s  {left} left';
