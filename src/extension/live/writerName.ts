import * as vscode from 'vscode';
import type { AdapterInfo } from '../../protocol/backend.js';
import type { Writer } from '../../protocol/completionStatistics.js';
import { adapterName } from '../adapterName.js';

/** As the adapter is called in the side bar, or after its folder if it is not there any more. */
export function writerName({ model, adapter }: Writer, adapters: readonly AdapterInfo[] = []): string {
  if (adapter === null) return vscode.l10n.t('base {0}', adapterName(model));
  return adapters.find(({ path }) => path === adapter)?.name ?? adapterName(adapter);
}
