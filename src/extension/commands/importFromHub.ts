import * as vscode from 'vscode';
import type { HubPlan, ModelInfo, RecommendedModel } from '../../protocol/backend.js';
import { chooseOne } from '../ask.js';
import type { FetchProgress } from '../catalog.js';
import { formatBytes } from '../format.js';
import type { Workbench } from '../workbench.js';

/** Asks which model of the hub to download, says what that means, and downloads it. Undefined if the user wants none. */
export async function importFromHub(workbench: Workbench): Promise<ModelInfo | undefined> {
  const name = await chooseModel(workbench);
  if (name === undefined) return undefined;
  const plan = await planWithAccess(workbench, name);
  if (plan === undefined || !(await agrees(plan))) return undefined;
  const { catalog, hubToken } = workbench;
  const model = { name, token: await hubToken.get() };
  return withDownloadProgress(plan.name, (report, token) => catalog.downloadFromHub(model, report, token));
}

/** Shows the progress of a download; undefined if the user cancels it. What has arrived is kept for the next time. */
export async function withDownloadProgress(
  name: string,
  download: (report: (progress: FetchProgress) => void, token: vscode.CancellationToken) => Promise<ModelInfo | undefined>,
): Promise<ModelInfo | undefined> {
  const title = vscode.l10n.t('Downloading {0}', name);
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (progress, token) => {
    let shown = 0;
    const report = ({ done, total }: FetchProgress) => {
      const percent = total > 0 ? (100 * done) / total : 0;
      const message = total > 0 ? vscode.l10n.t('{0} of {1}', formatBytes(done), formatBytes(total)) : formatBytes(done);
      progress.report({ message, increment: percent - shown });
      shown = percent;
    };
    return download(report, token).catch((error: unknown) => {
      if (!token.isCancellationRequested) throw error;
      return undefined;
    });
  });
}

async function chooseModel({ backend }: Workbench): Promise<string | undefined> {
  const live = await backend.ready();
  const other = {
    label: `$(edit) ${vscode.l10n.t('Another Model…')}`,
    detail: vscode.l10n.t('its name, OWNER/NAME, or the address of its page'),
    value: () => askForName(),
  };
  const choices = live.request('loraWorkbench/hub/recommended', null).then((models) => [...models.map(describe), other]);
  return (await chooseOne(choices, vscode.l10n.t('Download which model from the hub?')))?.();
}

function describe(model: RecommendedModel) {
  const purpose = model.purpose === 'code' ? vscode.l10n.t('code') : vscode.l10n.t('chat');
  const licence = model.isGated ? vscode.l10n.t('{0}, needs consent and a token', model.licence) : model.licence;
  const memory = formatBytes(model.trainingBytes);
  return {
    label: `${model.isTrainable ? '$(check)' : '$(warning)'} ${model.name}`,
    description: [purpose, formatBytes(model.downloadBytes), licence].join(' · '),
    detail: model.isTrainable
      ? vscode.l10n.t('can be trained on this machine, in {0} of memory', memory)
      : vscode.l10n.t('too large for this machine now: training takes {0} of memory', memory),
    value: () => Promise.resolve(model.name),
  };
}

async function askForName(): Promise<string | undefined> {
  const name = await vscode.window.showInputBox({
    title: vscode.l10n.t('Model on the hub'),
    prompt: vscode.l10n.t('OWNER/NAME, OWNER/NAME:QUANTIZATION for one of several GGUF files, or the address of the page'),
    placeHolder: 'HuggingFaceTB/SmolLM2-360M-Instruct',
    ignoreFocusOut: true,
  });
  return name?.trim() || undefined;
}

type Plan = Extract<HubPlan, { kind: 'plan' }>;

/** Looks at the model; if the hub refuses, asks for a token once. */
async function planWithAccess(workbench: Workbench, name: string): Promise<Plan | undefined> {
  const { hubToken } = workbench;
  const first = await look(workbench, name, await hubToken.get());
  if (first?.kind !== 'refused') return first;
  const token = await askForToken(first.message, first.accessPage);
  if (token === undefined) return undefined;
  const second = await look(workbench, name, token);
  if (second?.kind === 'refused') throw new Error(second.message);
  if (second) await hubToken.keep(token);
  return second;
}

async function look({ backend }: Workbench, name: string, token: string | null): Promise<HubPlan | undefined> {
  const title = vscode.l10n.t('Looking at {0}', name);
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  const live = await backend.ready();
  return vscode.window.withProgress(options, async (_, cancellation) =>
    live.request('loraWorkbench/hub/plan', { name, token }, cancellation).catch((error: unknown) => {
      if (!cancellation.isCancellationRequested) throw error;
      return undefined;
    }),
  );
}

/** The page on which access is granted can be opened first; the question stays. */
async function askForToken(message: string, page: string): Promise<string | undefined> {
  const enter = vscode.l10n.t('Enter Token…');
  const open = vscode.l10n.t('Open Page');
  const ask = () => vscode.window.showWarningMessage(message, { modal: true }, enter, open);
  let choice = await ask();
  while (choice === open) {
    await vscode.env.openExternal(vscode.Uri.parse(page));
    choice = await ask();
  }
  if (choice !== enter) return undefined;
  const token = await vscode.window.showInputBox({
    title: vscode.l10n.t('Token of the model hub'),
    prompt: vscode.l10n.t('It is kept among the secrets of this system and sent to the hub only.'),
    password: true,
    ignoreFocusOut: true,
  });
  return token?.trim() || undefined;
}

async function agrees({ name, licence, files, totalBytes, missingBytes, folder }: Plan): Promise<boolean> {
  const download = missingBytes > 0 ? vscode.l10n.t('Download') : vscode.l10n.t('Import');
  const lines = [
    licence === null ? vscode.l10n.t('Licence: not stated') : vscode.l10n.t('Licence: {0}', licence),
    missingBytes === totalBytes
      ? vscode.l10n.t('{0} to download', formatBytes(totalBytes))
      : vscode.l10n.t('{0} to download; the rest of {1} is there', formatBytes(missingBytes), formatBytes(totalBytes)),
    vscode.l10n.t('Into {0}', folder),
    '',
    ...files.map(({ path, sizeBytes }) => `${path} (${formatBytes(sizeBytes)})`),
  ];
  const options = { modal: true, detail: lines.join('\n') };
  return (await vscode.window.showInformationMessage(vscode.l10n.t('Download {0}?', name), options, download)) === download;
}
