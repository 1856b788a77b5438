import * as vscode from 'vscode';
import type { RunSummary } from '../../protocol/backend.js';
import type { RunLabels } from '../../protocol/run.js';
import type { Workbench } from '../workbench.js';
import { chosenRun } from './runCommands.js';

export async function renameRun(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Rename which run?'));
  if (!run) return;
  const prompt = vscode.l10n.t('A name for the run. Leave it empty to name it after its data, model and rank.');
  const name = await vscode.window.showInputBox({ prompt, value: run.name, ignoreFocusOut: true });
  if (name === undefined) return;
  const unchanged = run.labels.name === null && name === run.name;
  await label(workbench, run, { name: unchanged ? null : name.trim() || null });
}

export async function editRunTags(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Edit the tags of which run?'));
  if (!run) return;
  const prompt = vscode.l10n.t('Tags of {0}, with commas between them.', run.name);
  const tags = await vscode.window.showInputBox({ prompt, value: run.labels.tags.join(', '), ignoreFocusOut: true });
  if (tags === undefined) return;
  const words = tags.split(/[,，]/).map((tag) => tag.trim());
  await label(workbench, run, { tags: [...new Set(words.filter((tag) => tag !== ''))] });
}

export async function editRunNote(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Edit the note of which run?'));
  if (!run) return;
  const prompt = vscode.l10n.t('A note about {0}.', run.name);
  const note = await vscode.window.showInputBox({ prompt, value: run.labels.note, ignoreFocusOut: true });
  if (note !== undefined) await label(workbench, run, { note: note.trim() });
}

async function label({ backend }: Workbench, { runId, labels }: RunSummary, change: Partial<RunLabels>): Promise<void> {
  await (await backend.ready()).request('loraWorkbench/runs/label', { runId, labels: { ...labels, ...change } });
}
