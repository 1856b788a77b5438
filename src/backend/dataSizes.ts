import type { DataSize } from '../core/data/report.js';
import { modelPath } from '../files/cacheFolder.js';
import type { RunConfig } from '../protocol/runConfig.js';

/** What data came to when it was last read: with it the memory of a run is estimated as its trainer will do it. */
export class DataSizes {
  private readonly known = new Map<string, DataSize>();

  note(config: RunConfig, { examples, tokens, longest }: DataSize): void {
    this.known.set(key(config), { examples, tokens, longest });
  }

  /** undefined until the data was read. */
  of(config: RunConfig): DataSize | undefined {
    return this.known.get(key(config));
  }
}

/** The same settings read the same sequences. */
function key({ model, data }: RunConfig): string {
  return JSON.stringify([modelPath(model), data]);
}
