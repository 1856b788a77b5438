import type { BaseDType } from '../core/models/matrixForm.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { disposedOnFailure } from '../runtime/disposal.js';
import { RunLoader, type LoadedRun } from './runLoader.js';
import type { PreparationPorts } from './trainRun.js';

/**
 * Loads what a run config names: model, data, initial adapter, engine. A process that trains one run passes this to trainRun as
 * `prepare`. Throws UserError for anything that does not exist, does not fit together or cannot be trained on.
 */
export async function prepareRun(
  config: RunConfig,
  ports: PreparationPorts,
  resumedDType: BaseDType | null = null,
): Promise<LoadedRun> {
  const loader = new RunLoader();
  const loaded = await disposedOnFailure(loader, () => loader.prepare(config, ports, resumedDType));
  return { ...loaded, dispose: () => loaded.dispose().finally(() => loader.dispose()) };
}

/** For preparing a run that nobody is watching. */
export const silentPorts: PreparationPorts = { note: () => undefined, setKilledMessage: () => undefined };
