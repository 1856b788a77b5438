import * as vscode from 'vscode';
import { BackendUnavailable } from '../backendClient.js';
import { commandId, commandNames, type CommandName } from '../contributions.js';
import type { Workbench } from '../workbench.js';
import * as adapters from './adapterCommands.js';
import * as backend from './backendCommands.js';
import * as evaluation from './evaluationCommands.js';
import * as exports from './exportCommands.js';
import * as endpoint from './endpointCommands.js';
import * as fineTune from './fineTuneCommands.js';
import * as leaks from './leakCommands.js';
import * as merge from './mergeCommands.js';
import * as models from './modelCommands.js';
import { offer } from './offer.js';
import * as statistics from './statisticsCommands.js';
import * as labels from './runLabelCommands.js';
import * as runs from './runCommands.js';
import * as sweeps from './sweepCommands.js';

/** `argument` is a tree item, a file, or what the extension's views send; `selected` holds all items selected along with it. */
type Command = (workbench: Workbench, argument: unknown, selected?: readonly unknown[]) => Promise<void>;

const commands: Record<CommandName, Command> = {
  fineTune: fineTune.fineTune,
  fineTuneWorkspace: fineTune.fineTuneWorkspace,
  fineTuneFile: fineTune.fineTuneFile,
  openInPanel: fineTune.openInPanel,
  sweep: sweeps.planSweep,
  sweepFromRun: sweeps.planSweepFromRun,
  showSweep: sweeps.showSweep,
  evaluateSweep: sweeps.evaluateSweep,
  deleteSweep: sweeps.deleteSweep,
  openMonitor: ({ monitor }) => monitor.focus(),
  pauseRun: runs.pauseRun,
  resumeRun: runs.resumeRun,
  stopRun: runs.stopRun,
  startRunNow: runs.startRunNow,
  removeFromQueue: runs.removeFromQueue,
  clearQueue: runs.clearQueue,
  compareRuns: runs.compareRuns,
  openRun: runs.openRun,
  showRunLog: runs.showRunLog,
  revealRunFolder: runs.revealRunFolder,
  renameRun: labels.renameRun,
  editRunTags: labels.editRunTags,
  editRunNote: labels.editRunNote,
  deleteRun: runs.deleteRun,
  deleteFailedRuns: runs.deleteFailedRuns,
  runInference: adapters.runInference,
  runInferenceOnSelection: adapters.runInferenceOnSelection,
  openPlayground: models.openPlayground,
  chatWithAdapter: adapters.chatWithAdapter,
  useAdapterForCompletion: adapters.useAdapterForCompletion,
  turnOffCompletion: ({ completion }) => completion.turnOff(),
  switchCompletionAdapter: ({ completion }) => completion.switchAdapter(),
  compareBlindly: statistics.compareBlindly,
  showCompletionStatistics: async ({ statistics }) => statistics.show(),
  wipeCompletionStatistics: statistics.wipeCompletionStatistics,
  evaluateCompletion: evaluation.evaluateCompletion,
  showCompletionReport: evaluation.showCompletionReport,
  exportAdapter: exports.exportAdapter,
  mergeAdapters: merge.mergeAdapters,
  showSpectrum: adapters.showSpectrum,
  probeForLeaks: leaks.probeForLeaks,
  startEndpoint: endpoint.startEndpoint,
  stopEndpoint: ({ endpoint }) => endpoint.stop(),
  deleteAdapter: adapters.deleteAdapter,
  importModel: models.importModel,
  removeModelFolder: models.removeModelFolder,
  refreshModels: models.refreshModels,
  doctor: backend.doctor,
  showBackendLog: backend.showBackendLog,
  restartBackend: backend.restartBackend,
};

export function registerCommands(workbench: Workbench): vscode.Disposable[] {
  return commandNames.map((name) =>
    vscode.commands.registerCommand(commandId(name), (argument: unknown, selected?: readonly unknown[]) =>
      commands[name](workbench, argument, Array.isArray(selected) ? selected : undefined).catch((error: unknown) =>
        showError(workbench, error),
      ),
    ),
  );
}

/** Shows why a command failed. The error is already a sentence for people; this adds the buttons that help. */
export async function showError({ backend }: Pick<Workbench, 'backend'>, error: unknown): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  if (!vscode.workspace.isTrusted) {
    const manage = vscode.l10n.t('Manage Workspace Trust');
    return offer(vscode.window.showWarningMessage, message, manage, 'workbench.trust.manage');
  }
  const showLog = vscode.l10n.t('Show Log');
  const restart = vscode.l10n.t('Restart Backend');
  const buttons = error instanceof BackendUnavailable ? [restart, showLog] : [showLog];
  const choice = await vscode.window.showErrorMessage(message, ...buttons);
  if (choice === showLog) backend.showLog();
  if (choice === restart) await backend.restart();
}
