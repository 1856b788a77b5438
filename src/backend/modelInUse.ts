import type { FoundModels } from '../protocol/backend.js';

/**
 * Whose tokens are counted in data files: the newest run's model, else the first one found. A search walks thousands of folders
 * and whoever types asks with every pause, so what was found last holds until somebody searches again.
 */
export class ModelInUse {
  private found: Promise<FoundModels> | undefined;

  constructor(
    private readonly modelOfNewestRun: () => string | undefined,
    private readonly search: () => Promise<FoundModels>,
  ) {}

  async path(): Promise<string | undefined> {
    return this.modelOfNewestRun() ?? (await (this.found ?? this.find())).models[0]?.path;
  }

  /** Searches anew. */
  find(): Promise<FoundModels> {
    const found = this.search();
    found.catch(() => (this.found = undefined));
    return (this.found = found);
  }

  /** The places to search are others now. */
  forget(): void {
    this.found = undefined;
  }
}
