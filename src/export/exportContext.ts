import type { Adapter, MergeableAdapter } from '../core/adapters/peft.js';
import type { LoadedModel } from '../files/loadModel.js';
import type { ExportDType, ExportProgress } from '../protocol/export.js';

/** Everything that writers need. */
export interface ExportContext {
  readonly model: LoadedModel;
  readonly adapter: MergeableAdapter | null;
  readonly strength: number;
  readonly dtype: ExportDType;
  /** Name of the export: the last part of its path, without an ending. */
  readonly name: string;
}

/** Called as work is done; lets the event loop run, and throws once the export is cancelled. */
export type Advance = (amount: number) => Promise<void>;

/** What a target writes into a folder, and how that is used and read back. */
export interface Written {
  /** The exact size of the weights' files. */
  readonly sizeBytes: number;
  /** Advances by the bytes of the weights. */
  readonly write: (folder: string, advance: Advance) => Promise<void>;
  /** The model that the written files stand for, on top of the base if they hold only an adapter. */
  readonly open: (folder: string) => OpenExport;
}

export interface OpenExport {
  readonly weights: LoadedModel['weights'];
  readonly adapter: Adapter | null;
  /** Whether `weights` are the export's own, to be closed. */
  readonly isOwn: boolean;
}

/** Reports progress from 0 to `total`. */
export function pace(
  stage: ExportProgress['stage'],
  total: number,
  report: (progress: ExportProgress) => void,
  signal: AbortSignal,
): Advance {
  let done = 0;
  report({ stage, done, total });
  return async (amount) => {
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    done = Math.min(total, done + amount);
    report({ stage, done, total });
  };
}
