import { UserError } from '../core/errors.js';
import { fetchData } from '../files/hubData/fetchData.js';
import { bytesInWords } from '../l10n/bytesInWords.js';
import { t } from '../l10n/text.js';
import type { RunConfig } from '../protocol/runConfig.js';
import type { PreparationPorts } from './trainRun.js';

const noteIntervalMs = 5000;

/** Downloads the data sets of the hub that a run names, unless they are on this machine, and notes how far it is. */
export async function fetchRunData({ data }: RunConfig, ports: Pick<PreparationPorts, 'note' | 'signal'>): Promise<void> {
  const { signal = new AbortController().signal } = ports;
  let noted = performance.now();
  const onProgress = (done: number, total: number) => {
    if (performance.now() - noted < noteIntervalMs) return;
    noted = performance.now();
    ports.note(t`Downloaded ${bytesInWords(done)} of ${bytesInWords(total)}.`);
  };
  try {
    await fetchData([data.path, data.eval_path], { note: (text) => ports.note(text), onProgress, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new UserError('download-failed', t`Stopped before the data was downloaded. Resume the run to go on.`);
  }
}
