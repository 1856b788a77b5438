import type { FoundModels } from '../protocol/backend.js';

/**
 * The model whose tokenizer counts tokens in data files: the newest run's model, or else the first one found. A search walks
 * thousands of folders, and every pause in typing asks for the model, so the last result is kept until the next search.
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

  /** Searches again and keeps the new result. */
  find(): Promise<FoundModels> {
    const found = this.search();
    found.catch(() => (this.found = undefined));
    return (this.found = found);
  }

  /** Drops the last result because the folders to search have changed. */
  forget(): void {
    this.found = undefined;
  }
}
