import { fetchData } from '../files/hubData/fetchData.js';
import { fetchView } from './fetchView.js';
import type { CommandContext } from './runCommand.js';

/** Downloads the data sets of the hub among the paths, and shows how far it is. */
export function fetchDataView({ output, signal }: CommandContext, paths: readonly (string | null)[]): Promise<void> {
  return fetchView(output, ({ say, progress }) => fetchData(paths, { note: say, onProgress: progress, signal }));
}
