import * as vscode from 'vscode';
import type { AdapterInfo } from '../../protocol/backend.js';
import { baseOf } from '../../protocol/baseOf.js';
import { isLive } from '../../protocol/runs.js';
import { chooseUri } from '../browse.js';
import { commandId } from '../contributions.js';
import { isWithin } from '../isWithin.js';
import { removeFolders } from '../removeFolder.js';
import type { Workbench } from '../workbench.js';
import { namedBy } from './namedBy.js';
import { offer } from './offer.js';
import { pickAdapter } from './pick.js';

/** The adapter of a tree item, else the one that the user chooses; says what to do where there is none. */
async function chosenAdapter(
  { backend, catalog }: Workbench,
  argument: unknown,
  placeHolder: string,
): Promise<AdapterInfo | undefined> {
  await backend.ready();
  await catalog.refresh();
  const path = namedBy(argument, 'path');
  if (path !== undefined) return catalog.adapters.find((adapter) => adapter.path === path);
  if (catalog.adapters.length > 0) return pickAdapter(catalog.adapters, placeHolder);
  const text = vscode.l10n.t('There is no adapter yet. Fine-tuning a model makes one.');
  await offer(vscode.window.showInformationMessage, text, vscode.l10n.t('Fine-Tune…'), commandId('fineTune'));
  return undefined;
}

export async function runInference(workbench: Workbench, argument: unknown): Promise<void> {
  const adapter = await chosenAdapter(workbench, argument, vscode.l10n.t('Run inference with which adapter?'));
  if (adapter) await workbench.playground.open({ adapter });
}

export async function runInferenceOnSelection(workbench: Workbench): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) return;
  const prompt = editor.document.getText(editor.selection);
  const adapter = await chosenAdapter(workbench, undefined, vscode.l10n.t('Run inference with which adapter?'));
  if (adapter) await workbench.playground.open({ adapter, prompt, run: true });
}

export async function useAdapterForCompletion(workbench: Workbench, argument: unknown): Promise<void> {
  const adapter = await chosenAdapter(workbench, argument, vscode.l10n.t('Use which adapter for inline completion?'));
  if (!adapter) return;
  const model = baseOf(adapter, workbench.catalog.models);
  if (!model) {
    const text = vscode.l10n.t('The base model of {0} is {1}, which was not found.', adapter.name, adapter.baseModel);
    return offer(vscode.window.showWarningMessage, text, vscode.l10n.t('Import Model…'), commandId('importModel'));
  }
  await workbench.completion.use({ model: model.path, adapter: adapter.path });
}

export async function exportAdapter(workbench: Workbench, argument: unknown): Promise<void> {
  const adapter = await chosenAdapter(workbench, argument, vscode.l10n.t('Export which adapter?'));
  if (!adapter) return;
  const parent = await chooseUri('folder', { openLabel: vscode.l10n.t('Export Here') });
  if (!parent) return;
  const target = vscode.Uri.joinPath(parent, adapter.name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-'));
  await vscode.workspace.fs.copy(vscode.Uri.file(adapter.path), target, { overwrite: false });
  void vscode.window.showInformationMessage(vscode.l10n.t("Exported to {0}, in PEFT's format.", target.fsPath));
}

export async function deleteAdapter(workbench: Workbench, argument: unknown): Promise<void> {
  const adapter = await chosenAdapter(workbench, argument, vscode.l10n.t('Delete which adapter?'));
  if (!adapter) return;
  const writer = workbench.runs.list().find(({ runId, state }) => isLive(state.status) && isWithin(adapter.path, runId));
  if (writer) throw new Error(vscode.l10n.t('{0} is still going. Stop it first.', writer.name));
  const question = vscode.l10n.t('Delete the adapter {0}?', adapter.name);
  if (await removeFolders([vscode.Uri.file(adapter.path)], question)) await workbench.catalog.refresh();
}
