import type { DataSize } from '../core/data/report.js';
import { modelPath } from '../files/cacheFolder.js';
import type { RunConfig } from '../protocol/runConfig.js';

/** The size of data sets when last read, so that a run's memory is estimated just as its trainer will estimate it. */
export class DataSizes {
  private readonly known = new Map<string, DataSize>();

  note(config: RunConfig, { examples, tokens, longest }: DataSize): void {
    this.known.set(key(config), { examples, tokens, longest });
  }

  /** Returns undefined until the data has been read. */
  of(config: RunConfig): DataSize | undefined {
    return this.known.get(key(config));
  }
}

/** The same settings yield the same sequences. */
function key({ model, data }: RunConfig): string {
  return JSON.stringify([modelPath(model), data]);
}
