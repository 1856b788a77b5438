import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { RunSummary } from '../../protocol/backend.js';
import { enoughPositions } from '../../protocol/completionReport.js';
import type { EvaluateCompletionRequest } from '../../protocol/evaluateCompletion.js';
import { chooseOne } from '../ask.js';
import { chooseUri } from '../browse.js';
import { completionOptions } from '../inlineCompletion.js';
import type { Workbench } from '../workbench.js';
import { namedBy } from './namedBy.js';
import { chosenRun } from './runCommands.js';

type Control = Pick<EvaluateCompletionRequest, 'control' | 'trainControlOn'>;

/** Completes code that the run has not seen, with its adapter and others, and shows how they compare. */
export async function evaluateCompletion(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Evaluate the adapter of which run?'));
  if (run && !run.hasAdapter) throw new Error(vscode.l10n.t('{0} has no adapter yet. Train it first.', run.name));
  const control = run && (await chooseControl(run));
  if (!control) return;
  const request = {
    run: run.runId,
    ...control,
    adapters: [],
    files: null,
    positions: enoughPositions,
    seed: 1337,
    ...completionOptions(),
  };
  const title = vscode.l10n.t('Evaluating {0}', run.name);
  const ended = await workbench.work.run('loraWorkbench/completion/evaluate', request, title);
  if (ended !== undefined) await workbench.completionReport.show(run.runId, run.name);
}

/** Of a run or a sweep. */
export async function showCompletionReport(workbench: Workbench, argument: unknown): Promise<void> {
  const sweepId = namedBy(argument, 'sweepId');
  if (sweepId !== undefined) return workbench.completionReport.show(sweepId, basename(sweepId));
  const run = await chosenRun(workbench, argument, vscode.l10n.t('Show the report of which run?'));
  if (run) await workbench.completionReport.show(run.runId, run.name);
}

/** Undefined if the user closes the question. */
async function chooseControl({ runId }: RunSummary): Promise<Control | undefined> {
  const kept = vscode.Uri.joinPath(vscode.Uri.file(runId), 'control', 'adapter', 'adapter_config.json');
  const isKept = await vscode.workspace.fs.stat(kept).then(
    () => true,
    () => false,
  );
  const kind = await chooseOne(
    isKept ? [keptChoice(), ...controlChoices()] : controlChoices(),
    vscode.l10n.t('Compare with which control?'),
  );
  switch (kind) {
    case 'folder': {
      const folder = await chooseUri('folder', { openLabel: vscode.l10n.t('Train on This Code') });
      return folder && { control: null, trainControlOn: folder.fsPath };
    }
    case 'adapter': {
      const adapter = await chooseUri('folder', { openLabel: vscode.l10n.t('Use This Adapter') });
      return adapter && { control: adapter.fsPath, trainControlOn: null };
    }
    case 'kept':
    case 'none':
      return { control: null, trainControlOn: null };
    case undefined:
      return undefined;
  }
}

function keptChoice() {
  return {
    label: vscode.l10n.t('The control of this run'),
    detail: vscode.l10n.t('trained earlier and kept with the run'),
    value: 'kept' as const,
  };
}

function controlChoices() {
  return [
    {
      label: vscode.l10n.t('Train one on a folder of unrelated code…'),
      detail: vscode.l10n.t(
        'same settings and steps as the run; tells what any training would have done. An installed package will do.',
      ),
      value: 'folder' as const,
    },
    {
      label: vscode.l10n.t('Choose an adapter…'),
      detail: vscode.l10n.t('trained on unrelated code for about as long'),
      value: 'adapter' as const,
    },
    {
      label: vscode.l10n.t('No control'),
      detail: vscode.l10n.t('only the base; a large part of what the adapter gains may come from any training'),
      value: 'none' as const,
    },
  ];
}
