/** @file Lets the model answer held-out prompts during training, at a bounded cost. */
import { sampleTokens, type SamplePrompt } from '../core/data/samplePrompts.js';
import { UserError } from '../core/errors.js';
import type { HostTensor } from '../core/formats/hostTensor.js';
import { t } from '../l10n/text.js';
import type { Sample } from '../protocol/run.js';

export type Parameters = ReadonlyMap<string, HostTensor>;

/** The model that answers. */
export interface SampleWriter {
  /** Greedy, so that the same parameters give the same text. */
  write(promptIds: readonly number[], maxNewTokens: number): Promise<string>;
  dispose(): Promise<void>;
}

export interface SampleSource {
  readonly prompts: readonly SamplePrompt[];
  /** Kept only while answers are written; without parameters it is the base model. Null if there is not enough free memory. */
  load(parameters: Parameters | null): Promise<SampleWriter | null>;
}

export interface TrainingSamplerPorts {
  /** Seconds, from an arbitrary origin. */
  clock(): number;
  note(text: string): void;
  addSample(sample: Sample): void;
}

/** Maximum share of the process's training time. */
const share = 0.05;

export class TrainingSampler {
  private readonly started: number;
  private spentSeconds = 0;
  /** Cost of the last samples written. */
  private cost = { loadSeconds: 0, secondsPerPrompt: 0 };
  private prompts: readonly SamplePrompt[];

  constructor(
    private readonly source: SampleSource,
    private readonly ports: TrainingSamplerPorts,
  ) {
    this.prompts = source.prompts;
    this.started = ports.clock();
  }

  /**
   * Always writes answers of the base model at step 0 and of the adapter at the last step; in between, as many as fit within the
   * share of the time. `parameters` is called only if they are needed. A failure here ends the samples, not the run.
   */
  async sample(step: number, isLast: boolean, parameters: () => Promise<Parameters>): Promise<void> {
    const count = step === 0 || isLast ? this.prompts.length : this.affordable();
    if (count === 0) return;
    const adapter = step === 0 ? null : await parameters();
    const began = this.ports.clock();
    try {
      await this.write(step, this.prompts.slice(0, count), adapter);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.prompts = [];
      this.ports.note(t`warning: No more samples are written in this run: ${error.message}`);
    }
    this.spentSeconds += this.ports.clock() - began;
  }

  private async write(step: number, prompts: readonly SamplePrompt[], adapter: Parameters | null): Promise<void> {
    const began = this.ports.clock();
    const writer = await this.source.load(adapter);
    if (!writer) return this.ports.note(t`No samples at step ${step}: there is not enough free memory for them.`);
    try {
      const loaded = this.ports.clock();
      const texts: string[] = [];
      for (const { ids } of prompts) texts.push(await writer.write(ids, sampleTokens));
      const written = this.ports.clock();
      this.cost = { loadSeconds: loaded - began, secondsPerPrompt: (written - loaded) / prompts.length };
      prompts.forEach(({ prompt, expected }, index) => this.ports.addSample({ step, prompt, expected, text: texts[index]! }));
    } finally {
      await writer.dispose();
    }
  }

  /** Number of prompts that can be answered now within the share. */
  private affordable(): number {
    const { loadSeconds, secondsPerPrompt } = this.cost;
    const left = share * (this.ports.clock() - this.started) - this.spentSeconds - loadSeconds;
    if (left <= 0) return 0;
    return secondsPerPrompt === 0 ? this.prompts.length : Math.min(this.prompts.length, Math.floor(left / secondsPerPrompt));
  }
}
