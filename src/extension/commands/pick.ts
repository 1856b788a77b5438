import * as vscode from 'vscode';
import type { AdapterInfo, ModelInfo, RunSummary } from '../../protocol/backend.js';
import { formatBytes, formatStatus, formatTime } from '../format.js';

interface Choice<T> extends vscode.QuickPickItem {
  readonly value: T;
}

async function pick<T>(choices: readonly Choice<T>[], placeHolder: string): Promise<T | undefined> {
  const choice = await vscode.window.showQuickPick(choices, { placeHolder, matchOnDescription: true });
  return choice?.value;
}

/** The only run there is, or the one the user chooses. */
export async function pickRun(runs: readonly RunSummary[], placeHolder: string): Promise<RunSummary | undefined> {
  return runs.length === 1 ? runs[0] : pick(runs.map(runChoice), placeHolder);
}

export async function pickRuns(runs: readonly RunSummary[], picked: string | undefined, placeHolder: string): Promise<RunSummary[]> {
  const choices = runs.map((run) => ({ ...runChoice(run), picked: run.runId === picked }));
  const chosen = await vscode.window.showQuickPick(choices, { placeHolder, canPickMany: true });
  return (chosen ?? []).map(({ value }) => value);
}

export async function pickAdapter(
  adapters: readonly AdapterInfo[],
  placeHolder: string,
): Promise<AdapterInfo | undefined> {
  if (adapters.length === 1) return adapters[0];
  const choices = adapters.map((adapter) => ({
    label: adapter.name,
    description: `${adapter.baseModel} · r ${adapter.rank} · ${formatBytes(adapter.sizeBytes)}`,
    detail: adapter.path,
    value: adapter,
  }));
  return pick(choices, placeHolder);
}

export async function pickModel(models: readonly ModelInfo[], placeHolder: string): Promise<ModelInfo | undefined> {
  if (models.length === 1) return models[0];
  const choices = models.map((model) => ({
    label: model.name,
    description: formatBytes(model.sizeBytes),
    detail: model.path,
    value: model,
  }));
  return pick(choices, placeHolder);
}

function runChoice(run: RunSummary): Choice<RunSummary> {
  const description = `${formatStatus(run.state.status)} · ${formatTime(run.state.startedAt)}`;
  return { label: run.name, description, value: run };
}
