import * as vscode from 'vscode';
import type { AdapterInfo, ModelInfo } from '../../protocol/backend.js';
import { baseOf } from '../../protocol/baseOf.js';
import { isLive } from '../../protocol/runs.js';
import { adaptersOfRun } from '../adaptersOfRun.js';
import { chatParticipantName, chatVendor, commandId } from '../contributions.js';
import { isWithin } from '../isWithin.js';
import { removeFolders } from '../removeFolder.js';
import type { Workbench } from '../workbench.js';
import { namedBy } from './namedBy.js';
import { offer } from './offer.js';
import { pickAdapter } from './pick.js';

/** The adapter of a tree item or a run, or else the one that the user chooses. If there is none, tells the user what to do. */
export async function chosenAdapter(
  workbench: Workbench,
  argument: unknown,
  placeHolder: string,
): Promise<AdapterInfo | undefined> {
  const adapters = await knownAdapters(workbench);
  const path = adapterPath(workbench, argument, adapters);
  if (path !== undefined) return adapterAt(path, adapters);
  return adapters.length > 0 ? pickAdapter(workbench.catalog, placeHolder) : offerFineTuning();
}

function adapterPath({ runs }: Workbench, argument: unknown, adapters: readonly AdapterInfo[]): string | undefined {
  const runId = namedBy(argument, 'runId');
  if (runId === undefined) return namedBy(argument, 'path');
  const run = runs.get(runId);
  if (!run) return runId; // deleted, and with it its adapters
  const own = adaptersOfRun(run);
  return own.find((path) => adapters.some((known) => known.path === path)) ?? own[0];
}

export async function knownAdapters({ backend, catalog }: Workbench): Promise<readonly AdapterInfo[]> {
  await backend.ready();
  await catalog.refresh();
  return catalog.adapters;
}

/** Warns the user if the adapter no longer exists. */
function adapterAt(path: string, adapters: readonly AdapterInfo[]): AdapterInfo | undefined {
  const adapter = adapters.find((known) => known.path === path);
  if (!adapter)
    void vscode.window.showWarningMessage(vscode.l10n.t('There is no adapter at {0}: it was moved or deleted.', path));
  return adapter;
}

async function offerFineTuning(): Promise<undefined> {
  const text = vscode.l10n.t('There is no adapter yet. Fine-tuning a model creates one.');
  await offer(vscode.window.showInformationMessage, text, vscode.l10n.t('Fine-Tune…'), commandId('fineTune'));
}

/** The model that an adapter was made for. If it is missing, tells the user what to do. */
export async function baseFound({ catalog }: Workbench, adapter: AdapterInfo): Promise<ModelInfo | undefined> {
  const model = baseOf(adapter, catalog.models);
  if (model) return model;
  const text = vscode.l10n.t('The base model of {0} is {1}, which was not found.', adapter.name, adapter.baseModel);
  await offer(vscode.window.showWarningMessage, text, vscode.l10n.t('Import Model…'), commandId('importModel'));
  return undefined;
}

export async function runInference(workbench: Workbench, argument: unknown): Promise<void> {
  const adapters = await knownAdapters(workbench);
  const path = adapterPath(workbench, argument, adapters);
  if (path === undefined) return openWithNewest(workbench, {});
  const adapter = adapterAt(path, adapters);
  if (adapter && (await baseFound(workbench, adapter))) await workbench.playground.show({ adapter });
}

export async function runInferenceOnSelection(workbench: Workbench): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) return;
  const prompt = editor.document.getText(editor.selection);
  await knownAdapters(workbench);
  await openWithNewest(workbench, { prompt, run: true });
}

/** The playground itself begins with the newest adapter and continues with what was last chosen in it. */
async function openWithNewest(
  { playground, catalog }: Workbench,
  start: { readonly prompt?: string; readonly run?: boolean },
): Promise<void> {
  if (catalog.adapters.length === 0) return offerFineTuning();
  await playground.show(start);
}

export async function useAdapterForCompletion(workbench: Workbench, argument: unknown): Promise<void> {
  const adapter = await chosenAdapter(workbench, argument, vscode.l10n.t('Use which adapter for inline completion?'));
  const model = adapter && (await baseFound(workbench, adapter));
  if (model) await workbench.completion.use({ model: model.path, adapter: adapter.path });
}

export async function showSpectrum(workbench: Workbench, argument: unknown): Promise<void> {
  const adapter = await chosenAdapter(workbench, argument, vscode.l10n.t('Show the spectrum of which adapter?'));
  if (adapter) await workbench.spectrum.show(adapter);
}

/** Opens the chat in ask mode, because agent mode leaves out models that cannot call tools. The chat participant answers. */
export async function chatWithAdapter(workbench: Workbench, argument: unknown): Promise<void> {
  const adapter = await chosenAdapter(workbench, argument, vscode.l10n.t('Chat with which adapter?'));
  if (!adapter || !(await baseFound(workbench, adapter))) return;
  const modelSelector = { vendor: chatVendor, id: adapter.path };
  await vscode.commands.executeCommand('workbench.action.chat.open', {
    mode: 'ask',
    modelSelector,
    query: `@${chatParticipantName} `,
    isPartialQuery: true,
  });
}

export async function deleteAdapter(workbench: Workbench, argument: unknown): Promise<void> {
  const adapter = await chosenAdapter(workbench, argument, vscode.l10n.t('Delete which adapter?'));
  if (!adapter) return;
  const writer = workbench.runs.list().find(({ runId, state }) => isLive(state.status) && isWithin(adapter.path, runId));
  if (writer) throw new Error(vscode.l10n.t('{0} is still going. Stop it first.', writer.name));
  const question = vscode.l10n.t('Delete the adapter {0}?', adapter.name);
  if (await removeFolders([vscode.Uri.file(adapter.path)], question)) await workbench.catalog.refresh();
}
