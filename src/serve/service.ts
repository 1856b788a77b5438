import type { Adapter } from '../core/adapters/peft.js';
import type { ReadyModel, TextModels } from '../inference/textModels.js';
import type { Voice, Voices } from './voices.js';

/** The base model that is served, with its adapters. */
export class Service {
  /** In seconds since 1970. */
  readonly startedAt = Math.floor(Date.now() / 1000);

  constructor(
    readonly voices: Voices,
    private readonly models: TextModels,
    private readonly path: string,
  ) {}

  /** Lends the model with the voice's adapter; many may use it at once. */
  lend<Result>(voice: Voice, work: (model: ReadyModel, adapter: Adapter | null) => Promise<Result>): Promise<Result> {
    return this.models.use(this.path, async (model) => work(model, this.models.adapter(model, voice.adapter)));
  }
}
