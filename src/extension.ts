import * as vscode from 'vscode';
import { BackendClient } from './extension/backendClient.js';
import { startBackendWhenNeeded } from './extension/backendStart.js';
import { Catalog } from './extension/catalog.js';
import { registerChatParticipant } from './extension/chatParticipant.js';
import { ChatProvider } from './extension/chatProvider.js';
import { showError, registerCommands } from './extension/commands/commandTable.js';
import { ComparePanels } from './extension/comparePanel.js';
import { followContext, setContext } from './extension/contextKeys.js';
import { chatVendor, viewIds } from './extension/contributions.js';
import { Endpoint } from './extension/endpoint.js';
import { FineTunePanels } from './extension/fineTunePanel.js';
import { HubToken } from './extension/hubToken.js';
import { InlineCompletion } from './extension/inlineCompletion.js';
import { LiveStatistics } from './extension/live/liveStatistics.js';
import { backendSettings, draftUri } from './extension/folders.js';
import { PlaygroundPanels } from './extension/playgroundPanel.js';
import { PromptHistory } from './extension/promptHistory.js';
import { ReportDocuments } from './extension/reportDocuments.js';
import { reportPanels } from './extension/reportPanels.js';
import { RunEndings } from './extension/runEndings.js';
import { Runs } from './extension/runs.js';
import { SweepPanels } from './extension/sweepPanel.js';
import { TextStreams } from './extension/textStreams.js';
import { TrainingStatus } from './extension/trainingStatus.js';
import { AdaptersTree, ModelsTree } from './extension/views/catalogTrees.js';
import { MonitorView } from './extension/views/monitorView.js';
import { RunsTree } from './extension/views/runsTree.js';
import { Work } from './extension/work.js';

/** Wires all parts together; the backend starts when something first needs it. */
export function activate(context: vscode.ExtensionContext): void {
  const { extensionUri, globalStorageUri, workspaceState: memory } = context;
  const log = vscode.window.createOutputChannel('LoRA Workbench', { log: true });
  const hubToken = new HubToken(context.secrets);
  const backend = new BackendClient(context.extensionPath, log, () => backendSettings(context, hubToken));
  const runs = new Runs(backend);
  const catalog = new Catalog(backend);
  const streams = new TextStreams(backend);
  const onError = (error: unknown) => void showError({ backend }, error);
  const services = { extensionUri, backend, runs, catalog, onError, log, draft: draftUri(context), globalStorageUri, memory };
  const compare = new ComparePanels(services);
  const fineTune = new FineTunePanels(services, compare);
  const playground = new PlaygroundPanels({ ...services, streams, history: new PromptHistory(memory) });
  const monitor = new MonitorView(services);
  const completion = new InlineCompletion(backend, memory, (on) => setContext({ completionOn: on }));
  const live = new LiveStatistics(completion, context.globalState);
  backend.listenToInlineCompletion(live);
  const endpoint = new Endpoint(backend, context.secrets);
  const reports = new ReportDocuments();
  const work = new Work(backend);
  const sweep = new SweepPanels(services);
  const views = { monitor, fineTune, playground, sweep, ...reportPanels({ ...services, work, completion, live }) };

  context.subscriptions.push(
    log,
    backend,
    runs,
    catalog,
    completion,
    live,
    endpoint,
    new TrainingStatus(runs),
    new RunEndings(runs, memory),
    ...registerCommands({ ...services, ...views, hubToken, completion, live, endpoint, reports, work }),
    reports.register(),
    ...Object.values({ ...views, compare }).map((view) => view.register()),
    new RunsTree(runs),
    vscode.window.createTreeView(viewIds.adapters, { treeDataProvider: new AdaptersTree(catalog), canSelectMany: true }),
    vscode.window.registerTreeDataProvider(viewIds.models, new ModelsTree(catalog)),
    vscode.lm.registerLanguageModelChatProvider(chatVendor, new ChatProvider(backend, catalog, streams)),
    registerChatParticipant(),
    ...followContext(runs, catalog),
    ...startBackendWhenNeeded(context, backend, completion),
  );
}
