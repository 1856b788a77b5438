/** @file Every identifier that package.json and the code share. A unit test compares the two. */

import type { FillInTheMiddleMarkers } from '../protocol/backend.js';

export const prefix = 'loraWorkbench';

export const commandNames = [
  'fineTune',
  'fineTuneWorkspace',
  'fineTuneFile',
  'openInPanel',
  'sweep',
  'sweepFromRun',
  'showSweep',
  'evaluateSweep',
  'deleteSweep',
  'openMonitor',
  'pauseRun',
  'resumeRun',
  'stopRun',
  'startRunNow',
  'removeFromQueue',
  'clearQueue',
  'compareRuns',
  'openRun',
  'showRunLog',
  'revealRunFolder',
  'renameRun',
  'editRunTags',
  'editRunNote',
  'deleteRun',
  'deleteFailedRuns',
  'runInference',
  'runInferenceOnSelection',
  'openPlayground',
  'chatWithAdapter',
  'useAdapterForCompletion',
  'turnOffCompletion',
  'switchCompletionAdapter',
  'compareBlindly',
  'showCompletionStatistics',
  'wipeCompletionStatistics',
  'evaluateCompletion',
  'showCompletionReport',
  'startEndpoint',
  'stopEndpoint',
  'exportAdapter',
  'mergeAdapters',
  'showSpectrum',
  'probeForLeaks',
  'deleteAdapter',
  'importModel',
  'removeModelFolder',
  'refreshModels',
  'doctor',
  'showBackendLog',
  'restartBackend',
] as const;
export type CommandName = (typeof commandNames)[number];

export function commandId(name: CommandName): string {
  return `${prefix}.${name}`;
}

export const viewIds = {
  monitor: 'loraWorkbench.monitor',
  runs: 'loraWorkbench.runs',
  adapters: 'loraWorkbench.adapters',
  models: 'loraWorkbench.models',
} as const;

export const panelIds = {
  fineTune: 'loraWorkbench.fineTune',
  playground: 'loraWorkbench.playground',
  compare: 'loraWorkbench.compare',
  spectrum: 'loraWorkbench.spectrum',
  completionReport: 'loraWorkbench.completionReport',
  sweep: 'loraWorkbench.sweep',
  completionStatistics: 'loraWorkbench.completionStatistics',
  leakReport: 'loraWorkbench.leakReport',
} as const;

/** Keys of `when` clauses. */
export const contextKeys = [
  'hasRuns',
  'hasSweep',
  'hasLiveRun',
  'hasPausableRun',
  'hasResumableRun',
  'hasFailedRun',
  'hasQueuedRun',
  'hasAdapters',
  'hasModels',
  'hasLookedForRuns',
  'hasLookedForModels',
  'backendFailed',
  'hasShownFineTune',
  'hasShownAnswers',
  'completionOn',
  'endpointOn',
] as const;
export type ContextKey = (typeof contextKeys)[number];

/** The values of `contextValue` in the trees. */
export type TreeItemKind = `run.${string}` | 'sweep' | 'adapter' | 'model' | 'model.added';

/** Settings below `loraWorkbench.` with their types. */
export interface Settings {
  runsFolder: string;
  modelFolders: string[];
  'engine.device': 'auto' | 'cpu' | 'webgpu';
  'engine.threads': number | null;
  'inlineCompletion.languages': string[];
  'inlineCompletion.mode': 'auto' | 'line' | 'block';
  /** auto, none, a format's name, or custom. */
  'inlineCompletion.fillInTheMiddle': string;
  'inlineCompletion.fillInTheMiddleMarkers': FillInTheMiddleMarkers;
  'inlineCompletion.adapterStrength': number;
  'inlineCompletion.debounceMilliseconds': number;
  'inlineCompletion.maxNewTokens': number;
  'inlineCompletion.retrieval': boolean;
  'inlineCompletion.statistics': boolean;
  'endpoint.port': number;
}

/** The same names as values, for the comparison with package.json. */
export const settingNames = Object.keys({
  runsFolder: 0,
  modelFolders: 0,
  'engine.device': 0,
  'engine.threads': 0,
  'inlineCompletion.languages': 0,
  'inlineCompletion.mode': 0,
  'inlineCompletion.fillInTheMiddle': 0,
  'inlineCompletion.fillInTheMiddleMarkers': 0,
  'inlineCompletion.adapterStrength': 0,
  'inlineCompletion.debounceMilliseconds': 0,
  'inlineCompletion.maxNewTokens': 0,
  'inlineCompletion.retrieval': 0,
  'inlineCompletion.statistics': 0,
  'endpoint.port': 0,
} satisfies Record<keyof Settings, 0>);

export const chatVendor = 'lora-workbench';
/** The name that is typed after @. */
export const chatParticipantName = 'adapter';
export const chatParticipantId = `${prefix}.${chatParticipantName}`;
