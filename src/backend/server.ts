import { execFile } from 'node:child_process';
import {
  createConnection,
  ErrorCodes,
  ProposedFeatures,
  ResponseError,
  TextDocumentSyncKind,
  TextDocuments,
  type CancellationToken,
  type Connection,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { version } from '../../package.json';
import { latestReport } from '../evaluation/evaluationFolder.js';
import { modelsFolder } from '../files/cacheFolder.js';
import { t } from '../l10n/text.js';
import {
  protocolVersion,
  type BackendNotifications,
  type BackendOptions,
  type BackendRequests,
  type BackendSettings,
  type ConfigText,
  type NotificationMethod,
  type RequestMethod,
  type RunEvent,
  type RunSummary,
} from '../protocol/backend.js';
import { sizeOf } from '../core/data/report.js';
import type { DataOverview, PreflightReport } from '../protocol/preflight.js';
import type { EngineChoice } from '../inference/textModels.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { recommendations } from '../runs/recommendations.js';
import { RunDirectory } from '../runs/runDirectory.js';
import { abortSignal } from './abortSignal.js';
import { checkConfig, resolved } from './configCheck.js';
import { DataReader } from './dataReader.js';
import { DataSizes } from './dataSizes.js';
import { DataHelp } from './dataHelpFeatures.js';
import { EndpointRunner } from './endpointRunner.js';
import { setEnvironment } from './environment.js';
import { withErrorResponses } from './errorResponses.js';
import { fetchSmallModel } from './fetchSmallModel.js';
import { Generator } from './generator.js';
import { downloadHubModel, planHubModel } from './hubModels.js';
import { CompletionProvider } from './completionProvider.js';
import { RunFollowers } from './runFollowers.js';
import { findModels, inspectModels } from './modelCatalog.js';
import { ModelInUse } from './modelInUse.js';
import { OneOffWorkers } from './oneOffWorkers.js';
import { runPreflight } from './preflightRunner.js';
import { suggestSettings } from './runConfigHelp.js';
import { RunSupervisor } from './runSupervisor.js';
import { logUncaughtErrors } from './uncaughtErrors.js';
import { Tokenizers } from './tokenizers.js';
import { nodeEnvironment, programPath } from './trainerProcess.js';
import { TrainingPace } from './trainingPace.js';
import {
  evaluateCompletionRequest,
  evaluateSweepRequest,
  exportRequest,
  intrudersRequest,
  leakProbeRequest,
  mergeRequest,
  rankLossesRequest,
  similarityRequest,
  spectrumRequest,
} from './workerProtocol.js';

/** A handler of a request without a result may return anything. */
type Answer<Result> = Result extends null ? unknown : Result;

type Handlers = {
  [Method in RequestMethod]: (
    params: BackendRequests[Method]['params'],
    token: CancellationToken,
  ) => Promise<Answer<BackendRequests[Method]['result']>> | Answer<BackendRequests[Method]['result']>;
};

/** Runs the language server of one window over stdin and stdout. */
export function serve(): void {
  // The arguments contain --stdio: stdout belongs to the protocol, and anything printed becomes a protocol log message.
  const connection = createConnection(ProposedFeatures.all);
  const documents = new TextDocuments(TextDocument);
  logUncaughtErrors();
  connection.onInitialize(({ initializationOptions }) => {
    const options = initializationOptions as BackendOptions;
    if (options.protocolVersion !== protocolVersion) throw new ResponseError(ErrorCodes.InvalidParams, mismatch(options));
    new Backend(connection, documents, options);
    return {
      serverInfo: { name: 'LoRA Workbench', version },
      capabilities: { textDocumentSync: TextDocumentSyncKind.Incremental },
    };
  });
  documents.listen(connection);
  connection.listen();
}

function mismatch({ protocolVersion: theirs }: BackendOptions): string {
  return t`The extension speaks protocol ${theirs}, this backend ${protocolVersion}: reinstall the extension.`;
}

class Backend {
  private readonly supervisor: RunSupervisor;
  private readonly followers: RunFollowers;
  private readonly generator: Generator;
  private readonly endpoint = new EndpointRunner((message) => this.tell('loraWorkbench/endpoint/ended', { message }));
  private readonly data = new DataReader((share) => this.tell('loraWorkbench/data/reading', { share }));
  private readonly tokenizers = new Tokenizers();
  private readonly sizes = new DataSizes();
  private readonly pace = new TrainingPace(() => this.supervisor.watcher.snapshot().runs);
  private readonly modelInUse = new ModelInUse(
    () => this.supervisor.watcher.snapshot().runs[0]?.model,
    () => this.findModels(),
  );
  private readonly exports = new OneOffWorkers('export', (progress) => this.tell('loraWorkbench/work/progress', progress));
  private readonly analyses = new OneOffWorkers('analysis', (progress) => this.tell('loraWorkbench/work/progress', progress));
  private readonly evaluations = new OneOffWorkers('evaluate', (progress) => this.tell('loraWorkbench/work/progress', progress));
  private readonly completion: CompletionProvider;
  private readonly adaptersOfRuns = new Map<string, string>();
  private modelsChanged: NodeJS.Timeout | undefined;
  private settings: BackendSettings;

  constructor(
    private readonly connection: Connection,
    documents: TextDocuments<TextDocument>,
    settings: BackendOptions,
  ) {
    this.settings = settings;
    setEnvironment(settings);
    this.supervisor = new RunSupervisor(settings.runsFolders, (event) => this.runChanged(event));
    this.followers = new RunFollowers({
      isLive: (runId) => this.supervisor.watcher.isLive(runId),
      sendMetrics: (piece) => this.tell('loraWorkbench/runs/metrics', piece),
      sendSamples: (piece) => this.tell('loraWorkbench/runs/samples', piece),
    });
    this.generator = new Generator(settings, (piece) => this.tell('loraWorkbench/generate/token', piece));
    this.completion = new CompletionProvider(
      connection,
      this.generator,
      (uri) => documents.get(uri),
      (status) => this.tell('loraWorkbench/completion/status', status),
    );
    new DataHelp(connection, documents, this.tokenizers, () => this.modelInUse.path());
    suggestSettings(connection, documents);
    this.register(this.handlers());
    connection.onShutdown(() => this.stop());
  }

  private handlers(): Handlers {
    return {
      'loraWorkbench/runs/list': () => this.supervisor.watcher.snapshot(),
      'loraWorkbench/runs/follow': ({ runId, followId }) => this.followers.follow(runId, followId),
      'loraWorkbench/runs/unfollow': ({ followId }) => this.followers.unfollow(followId),
      'loraWorkbench/runs/config': ({ runId }) => RunDirectory.open(runId).readConfig(),
      'loraWorkbench/runs/start': (text) => ({ runId: this.supervisor.start(this.runConfig(text)) }),
      'loraWorkbench/runs/resume': ({ runId }) => this.supervisor.resume(runId),
      'loraWorkbench/runs/startNow': ({ runId }) => this.supervisor.startNow(runId),
      'loraWorkbench/runs/dequeue': ({ runIds }) => this.supervisor.dequeue(runIds),
      'loraWorkbench/runs/control': ({ runId, command }) => this.supervisor.control(runId, command),
      'loraWorkbench/runs/label': ({ runId, labels }) => this.supervisor.label(runId, labels),
      'loraWorkbench/models/list': () => this.modelInUse.find(),
      'loraWorkbench/models/inspect': ({ path }) => inspectModels(path),
      'loraWorkbench/models/fetchSmall': (_, token) => fetchSmallModel(abortSignal(token), this.tellProgress(null)),
      'loraWorkbench/hub/recommended': () => recommendations(),
      'loraWorkbench/hub/plan': (model, token) => planHubModel(model, abortSignal(token)),
      'loraWorkbench/hub/download': (model, token) => downloadHubModel(model, this.tellProgress(model.name), abortSignal(token)),
      'loraWorkbench/config/check': (text) =>
        checkConfig(text, { pace: this.pace, sizes: this.sizes, device: this.settings.device }),
      'loraWorkbench/data/overview': (text, token) => this.lookAtData(resolved(text), token),
      'loraWorkbench/data/examples': ({ text, query }, token) => this.data.examples(resolved(text), query, token),
      'loraWorkbench/preflight': (text, token) => this.preflight(this.runConfig(text), token),
      'loraWorkbench/generate': (params, token) => this.generator.generate(params, token),
      'loraWorkbench/export': (params, token) => this.exports.run(exportRequest, params, token),
      'loraWorkbench/adapters/merge': (params, token) => this.exports.run(mergeRequest, params, token),
      'loraWorkbench/adapters/spectrum': (params, token) => this.analyses.run(spectrumRequest, params, token),
      'loraWorkbench/adapters/similarity': (params, token) => this.analyses.run(similarityRequest, params, token),
      'loraWorkbench/adapters/intruders': (params, token) => this.analyses.run(intrudersRequest, params, token),
      'loraWorkbench/adapters/rankLosses': (params, token) =>
        this.analyses.run(rankLossesRequest, { ...params, engine: this.engine }, token),
      'loraWorkbench/adapters/leakProbe': (params, token) =>
        this.analyses.run(leakProbeRequest, { ...params, engine: this.engine }, token),
      'loraWorkbench/completion/evaluate': (params, token) =>
        this.evaluations.run(evaluateCompletionRequest, { ...params, engine: this.engine }, token),
      'loraWorkbench/completion/report': ({ runId }) => latestReport(runId),
      'loraWorkbench/sweeps/start': ({ text, ...request }) => ({
        sweepId: this.supervisor.startSweep({ ...request, config: this.runConfig(text) }),
      }),
      'loraWorkbench/sweeps/report': ({ sweepId }) => this.supervisor.sweepReport(sweepId),
      'loraWorkbench/sweeps/evaluate': (params, token) =>
        this.evaluations.run(evaluateSweepRequest, { ...params, engine: this.engine }, token),
      'loraWorkbench/tokenCount': ({ model, text }) => ({ tokens: this.tokenizers.of(model).tokenizer.encode(text).length }),
      'loraWorkbench/completion/configure': (settings) => this.completion.configure(settings),
      'loraWorkbench/endpoint/start': (params, token) => this.endpoint.start(params, this.engine, token),
      'loraWorkbench/endpoint/stop': () => this.endpoint.stop(),
      'loraWorkbench/settings': (settings) => this.changeSettings(settings),
      'loraWorkbench/doctor': () => doctor(),
    };
  }

  private get engine(): EngineChoice {
    const { device, threads } = this.settings;
    return { device, threads };
  }

  private register(handlers: Handlers): void {
    for (const [method, handle] of Object.entries(handlers)) {
      const handler = handle as (params: unknown, token: CancellationToken) => unknown;
      const answer = async (params: unknown, token: CancellationToken) => (await handler(params, token)) ?? null;
      this.connection.onRequest(method, withErrorResponses(answer));
    }
  }

  private tell<Method extends NotificationMethod>(method: Method, params: BackendNotifications[Method]): void {
    void this.connection.sendNotification(method, params);
  }

  /** Progress is told at most twice a second, because a download arrives in thousands of pieces. */
  private tellProgress(name: string | null): (done: number, total: number) => void {
    let toldAt = -Infinity;
    return (done, total) => {
      if (performance.now() - toldAt < 500) return;
      toldAt = performance.now();
      this.tell('loraWorkbench/models/fetching', { name, done, total });
    };
  }

  private runChanged(event: RunEvent): void {
    this.tell('loraWorkbench/runs/event', event);
    const [runId, adapters] = event.kind === 'changed' ? [event.run.runId, adaptersOf(event.run)] : [event.runId, undefined];
    if (this.adaptersOfRuns.get(runId) === adapters) return;
    if (adapters === undefined) this.adaptersOfRuns.delete(runId);
    else this.adaptersOfRuns.set(runId, adapters);
    // Delayed because the first poll discovers many runs at once.
    this.modelsChanged ??= setTimeout(() => {
      this.modelsChanged = undefined;
      this.tell('loraWorkbench/models/changed', null);
    }, 200);
  }

  private changeSettings(settings: BackendSettings): void {
    this.settings = settings;
    setEnvironment(settings);
    this.supervisor.setFolders(settings.runsFolders);
    this.generator.setEngine(settings);
    this.modelInUse.forget();
    this.tell('loraWorkbench/models/changed', null);
  }

  /** If a run leaves the device open, the extension's setting applies. */
  private runConfig(text: ConfigText): RunConfig {
    const config = resolved(text);
    const { engine } = config;
    return engine.device === 'auto' ? { ...config, engine: { ...engine, device: this.settings.device } } : config;
  }

  private async lookAtData(config: RunConfig, token: CancellationToken): Promise<DataOverview> {
    const overview = await this.data.overview(config, token);
    this.sizes.note(config, overview);
    return overview;
  }

  private async preflight(config: RunConfig, token: CancellationToken): Promise<PreflightReport> {
    const report = await runPreflight(config, (text) => this.tell('loraWorkbench/preflight/note', { text }), token);
    this.pace.note(config, report.estimate.secondsPerStep);
    this.sizes.note(config, sizeOf(report));
    return report;
  }

  private findModels() {
    const cache = { path: modelsFolder(), source: 'cache' as const };
    const { runs } = this.supervisor.watcher.snapshot();
    const byId = new Map(runs.map((run) => [run.runId, run]));
    return findModels([...this.settings.modelFolders, cache], {
      folders: this.settings.runsFolders,
      get: (runId) => byId.get(runId),
    });
  }

  private stop(): void {
    this.supervisor.stop();
    this.followers.stop();
    this.generator.stop();
    this.completion.stop();
    this.endpoint.stop();
    this.data.stop();
    this.exports.stop();
    this.analyses.stop();
    this.evaluations.stop();
    clearTimeout(this.modelsChanged);
  }
}

/** A key that changes whenever a run is renamed or writes another adapter: the first one, a better one, the last one. */
function adaptersOf({ hasAdapter, name, state }: RunSummary): string {
  return `${hasAdapter} ${state.bestStep} ${state.status} ${name}`;
}

/** The command exits with 1 if something is missing, and that is when its report matters most. */
function doctor(): Promise<{ report: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [programPath, 'doctor'], { env: nodeEnvironment() }, (_, stdout, stderr) =>
      resolve({ report: stdout || stderr }),
    );
  });
}
