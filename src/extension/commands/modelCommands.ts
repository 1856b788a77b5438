import * as vscode from 'vscode';
import type { ModelInfo } from '../../protocol/backend.js';
import { chooseOne } from '../ask.js';
import { chooseUri } from '../browse.js';
import { isWithin } from '../isWithin.js';
import { setting, updateModelFolders } from '../settings.js';
import type { Workbench } from '../workbench.js';
import { commandId } from '../contributions.js';
import { importFromHub, withDownloadProgress } from './importFromHub.js';
import { namedBy } from './namedBy.js';
import { offer } from './offer.js';

/** Imports a folder or file of the user's, or downloads a model. */
export async function importModel(workbench: Workbench): Promise<void> {
  const folder = {
    label: `$(folder) ${vscode.l10n.t('Hugging Face folder…')}`,
    detail: vscode.l10n.t("config.json and weights, or Meta's original files; a folder of such folders works too"),
    value: () => importFrom(workbench, 'folder'),
  };
  const file = {
    label: `$(file-binary) ${vscode.l10n.t('GGUF file…')}`,
    detail: vscode.l10n.t('model, configuration and tokenizer in one file'),
    value: () => importFrom(workbench, 'file'),
  };
  const small = {
    label: `$(cloud-download) SmolLM2-135M-Instruct`,
    detail: vscode.l10n.t('no model yet? This small one (98 MB, Apache 2.0) is downloaded and trains in minutes'),
    value: () => fetchSmallModel(workbench),
  };
  const hub = {
    label: `$(cloud-download) ${vscode.l10n.t('From Hugging Face…')}`,
    detail: vscode.l10n.t('good models to begin with, or any other by its name'),
    value: async () => {
      const model = await importFromHub(workbench);
      if (model) await showImported([model], 1);
    },
  };
  const bring = await chooseOne([folder, file, hub, small], vscode.l10n.t('Import which model?'));
  await bring?.();
}

async function importFrom({ backend, catalog }: Workbench, kind: 'file' | 'folder'): Promise<void> {
  const filters = kind === 'file' ? { filters: { GGUF: ['gguf'] } } : {};
  const uri = await chooseUri(kind, { openLabel: vscode.l10n.t('Import'), ...filters });
  if (!uri) return;
  const { models, problem } = await (await backend.ready()).request('loraWorkbench/models/inspect', { path: uri.fsPath });
  const [first] = models;
  if (first === undefined) {
    const nothing = vscode.l10n.t('No usable model was found in {0}.', uri.fsPath);
    void vscode.window.showWarningMessage([nothing, ...(problem === null ? [] : [problem])].join(' '));
    return;
  }
  await updateModelFolders([...new Set([...setting('modelFolders'), uri.fsPath])]);
  await backend.settingsChanged();
  await catalog.refresh();
  const imported = catalog.models.filter(({ path }) => models.includes(path));
  await showImported(imported, models.length);
}

/** Reports what was imported and offers the next step. */
async function showImported([first]: readonly ModelInfo[], count: number): Promise<void> {
  if (!first) return;
  const text =
    count === 1 ? vscode.l10n.t('{0} is ready to be fine-tuned.', first.name) : vscode.l10n.t('{0} models were imported.', count);
  await offer(vscode.window.showInformationMessage, text, vscode.l10n.t('Fine-Tune…'), commandId('fineTune'), {
    path: first.path,
  });
}

async function fetchSmallModel({ catalog }: Workbench): Promise<void> {
  const model = await withDownloadProgress('SmolLM2-135M-Instruct', (report, token) => catalog.fetchSmallModel(report, token));
  if (model) await showImported([model], 1);
}

/** Removes the folder in which the model was found from the list; nothing is deleted from the disk. */
export async function removeModelFolder(_: Workbench, argument: unknown): Promise<void> {
  const path = namedBy(argument, 'path');
  if (path === undefined) return;
  await updateModelFolders(setting('modelFolders').filter((folder) => !isWithin(path, folder)));
}

/** When called from the models tree, uses that model and its newest adapter, if it has one. */
export async function openPlayground({ playground, catalog }: Workbench, argument: unknown): Promise<void> {
  const path = namedBy(argument, 'path');
  const model = catalog.models.find((known) => known.path === path);
  await playground.show(model ? { model } : {});
}

export async function refreshModels({ catalog }: Workbench): Promise<void> {
  await catalog.refresh();
}
