import * as vscode from 'vscode';
import type { ModelInfo } from '../../protocol/backend.js';
import { adaptersFor } from '../../protocol/baseOf.js';
import { chooseOne } from '../ask.js';
import type { Catalog } from '../catalog.js';
import { commandId } from '../contributions.js';
import { servedNames } from '../servedNames.js';
import type { Workbench } from '../workbench.js';
import { namedBy } from './namedBy.js';
import { offer } from './offer.js';

/** Serves a model, with all adapters that may fit it, to other tools. If the endpoint is on, shows where it is. */
export async function startEndpoint({ endpoint, catalog }: Workbench, argument: unknown): Promise<void> {
  if (endpoint.isOn) return endpoint.show();
  await catalog.loaded();
  const path = namedBy(argument, 'path');
  const model = catalog.models.find((known) => known.path === path) ?? (await pickModel(catalog));
  if (!model) return;
  const adapters = adaptersFor(model.path, catalog.adapters, catalog.models);
  await endpoint.start({ model: model.path, adapters: servedNames(model.name, adapters) });
}

async function pickModel({ models }: Catalog): Promise<ModelInfo | undefined> {
  if (models.length === 0) {
    const text = vscode.l10n.t('There is no model to serve yet.');
    await offer(vscode.window.showInformationMessage, text, vscode.l10n.t('Import Model…'), commandId('importModel'));
  }
  if (models.length <= 1) return models[0];
  const choices = models.map((model) => ({ label: model.name, detail: model.path, value: model }));
  return chooseOne(choices, vscode.l10n.t('Serve which model, with its adapters?'));
}
