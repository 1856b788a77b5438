import type { Adapter } from '../core/adapters/peft.js';
import type { ReadyModel, TextModels } from '../inference/textModels.js';
import type { ServedModel, ServedModels } from './servedModels.js';

/** The base model that is served, with its adapters. */
export class Service {
  /** In seconds since 1970. */
  readonly startedAt = Math.floor(Date.now() / 1000);

  constructor(
    readonly served: ServedModels,
    private readonly models: TextModels,
    private readonly path: string,
  ) {}

  /** Lends the model with the adapter of what was asked for; many may use it at once. */
  lend<Result>(asked: ServedModel, work: (model: ReadyModel, adapter: Adapter | null) => Promise<Result>): Promise<Result> {
    return this.models.use(this.path, async (model) => work(model, this.models.adapter(model, asked.adapter)));
  }
}
