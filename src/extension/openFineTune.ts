import * as vscode from 'vscode';
import type { ConfigText } from '../protocol/backend.js';
import type { BrowsableSetting, FineTuneState, FromFineTune } from '../protocol/views/fineTune.js';
import { browse } from './browse.js';
import type { ConfigDocument } from './configDocument.js';
import { commandId } from './contributions.js';
import { DataLookup } from './dataLookup.js';
import type { FineTuneServices } from './fineTunePanel.js';
import { LastPreflight } from './lastPreflight.js';
import { onReturn } from './onReturn.js';
import { runsFolders } from './folders.js';
import { openOrigin } from './openOrigin.js';
import { sampleData } from './sampleData.js';
import { SmallModelFetch } from './smallModelFetch.js';
import { RunViewerSession } from './webviews/runViewerSession.js';

const restMs = 300;

/** An open Fine-Tune panel. Everything it shows comes from the document, the run directories or the backend. */
export class OpenFineTune implements vscode.Disposable {
  private readonly session: RunViewerSession<'fineTune'>;
  private readonly data: DataLookup;
  readonly preflight: LastPreflight;
  private readonly fetch: SmallModelFetch;
  private knownModels: ReadonlySet<string>;
  private checked: Pick<FineTuneState, 'check' | 'modelShape'> = { check: null, modelShape: null };
  /** Whether a step is to be measured once the data has been read. */
  private reports = false;
  /** Whether a page that is not ready yet is to begin with the data. */
  private beginsWithData = false;
  private checkTimer: NodeJS.Timeout | undefined;
  private readonly subscriptions: readonly vscode.Disposable[];

  constructor(
    readonly panel: vscode.WebviewPanel,
    readonly document: ConfigDocument,
    private runId: string | null,
    private readonly services: FineTuneServices,
    private readonly remember: (runId: string | null) => void,
  ) {
    const { backend, runs, catalog, onError } = services;
    this.data = new DataLookup(backend, (data) => {
      this.session.post({ type: 'data', data });
      // The memory that a run takes depends on the data.
      if (data.kind === 'ready') void this.check();
      if (this.reports && data.kind === 'ready') void this.measure();
    });
    this.preflight = new LastPreflight(backend, (preflight) => {
      this.session.post({ type: 'preflight', preflight });
      // The pre-flight has measured how long a step takes.
      if (preflight.kind === 'ready') void this.check();
    });
    backend.handle('loraWorkbench/data/reading', ({ share }) => this.data.progressed(share));
    this.fetch = new SmallModelFetch(catalog, (fetching) => this.session.post({ type: 'fetching', fetching }));
    this.knownModels = new Set(catalog.models.map(({ path }) => path));
    this.session = new RunViewerSession(panel.webview, 'fineTune', services, {
      state: () => this.state(),
      receive: (message) => this.receive(message),
    });
    this.subscriptions = [
      this.session,
      runs.onDidReplace(() => void this.check()),
      catalog.onDidChange(() => void this.modelsChanged().catch(onError)),
      panel.onDidChangeViewState(() => this.lookAgain()),
      onReturn(() => this.lookAgain()),
      vscode.workspace.onDidSaveTextDocument(({ uri }) => this.saved(uri)),
      document,
      document.onDidChange(() => this.documentChanged()),
    ];
    this.remember(runId);
    void this.check();
  }

  /** Leaves the panel itself open for its next content. */
  dispose(): void {
    clearTimeout(this.checkTimer);
    this.preflight.cancel();
    this.fetch.cancel();
    this.data.cancel();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  showRun(runId: string | null): void {
    this.runId = runId;
    this.remember(runId);
    this.session.post({ type: 'shownRun', runId });
  }

  /** Brings the data to the front, reads it again and then measures a step. */
  report(): void {
    this.reports = true;
    this.beginsWithData = !this.session.post({ type: 'showData' });
    this.data.forget();
    void this.check();
  }

  private state(): FineTuneState {
    const showsData = this.beginsWithData;
    this.beginsWithData = false;
    return {
      document: this.document.shown(),
      ...this.checked,
      models: this.services.catalog.models,
      data: this.data.state,
      preflight: this.preflight.state(this.document.text()),
      runs: this.services.runs.snapshot(),
      runsFolder: runsFolders(this.services)[0]!.fsPath,
      runId: this.runId,
      showsData,
      fetching: this.fetch.state,
    };
  }

  /** Selects a model that has just arrived if none has been chosen. */
  private async modelsChanged(): Promise<void> {
    const { models } = this.services.catalog;
    this.session.post({ type: 'models', models });
    const arrived = models.find(({ path }) => !this.knownModels.has(path));
    this.knownModels = new Set(models.map(({ path }) => path));
    const config = (await this.document.settled()).text()?.config as { model?: unknown } | undefined;
    if (arrived && config && !config.model) await this.document.apply([{ path: ['model'], value: arrived.path }]);
  }

  private documentChanged(): void {
    this.session.post({ type: 'document', document: this.document.shown() });
    this.preflight.settingsChanged(this.document.text());
    clearTimeout(this.checkTimer);
    this.checkTimer = setTimeout(() => void this.check(), restMs);
  }

  private async measure(): Promise<void> {
    this.reports = false;
    const text = this.document.text();
    if (text && this.preflight.state(text).kind !== 'ready') await this.preflight.run(text);
  }

  private lookAtData(text: ConfigText): void {
    const { check } = this.checked;
    if (check?.ok) void this.data.lookAt(text);
    else if (check?.problems.some(({ path }) => path[0] === 'model' || path[0] === 'data')) this.data.clear();
  }

  /** Counts the data again after it was fixed in the editor. */
  private saved(uri: vscode.Uri): void {
    this.preflight.forgetFailure();
    const { check } = this.checked;
    if (!check?.ok || ![check.config.data.path, check.config.data.eval_path].includes(uri.fsPath)) return;
    this.data.forget();
    void this.check();
  }

  /** Checks again when the user returns, who may have fixed the problem elsewhere. */
  private lookAgain(): void {
    const isWrong = this.checked.check?.ok === false || this.data.state.kind === 'failed';
    if (!this.panel.visible || !isWrong) return;
    this.data.forget();
    void this.check();
  }

  private async check(): Promise<void> {
    const text = this.document.text();
    if (!text || !vscode.workspace.isTrusted) return;
    const live = await this.services.backend.ready().catch(() => undefined);
    if (!live) return;
    this.checked = await live.request('loraWorkbench/config/check', text);
    this.session.post({ type: 'checked', ...this.checked });
    this.lookAtData(text);
    const preflight = this.preflight.state(text);
    if (preflight.kind === 'ready') this.session.post({ type: 'preflight', preflight });
  }

  private async receive(message: FromFineTune): Promise<void> {
    switch (message.type) {
      case 'edit':
        return this.edit(message);
      case 'browse':
        return this.browse(message.setting);
      case 'openJson':
        await this.document.settled();
        await vscode.window.showTextDocument(this.document.uri, { viewColumn: vscode.ViewColumn.Beside });
        return;
      case 'resetDocument':
        return this.reset();
      case 'start':
        return this.start();
      case 'sweep':
        await this.document.settled();
        return vscode.commands.executeCommand(commandId('sweep'), this.document.uri);
      case 'leaveRun':
        return this.showRun(null);
      case 'fetchSmallModel':
        return this.fetch.start();
      case 'cancelFetch':
        return this.fetch.cancel();
      case 'useSampleData':
        return this.useSampleData();
      case 'readExamples': {
        const text = (await this.document.settled()).text();
        const answer = text && (await this.data.examples(text, message.query));
        if (answer) this.session.post(answer);
        return;
      }
      case 'runPreflight': {
        const text = (await this.document.settled()).text();
        if (text) await this.preflight.run(text);
        return;
      }
      case 'cancelPreflight':
        return this.preflight.cancel();
      case 'cancelData':
        return this.data.giveUp();
      case 'readData':
        this.data.forget();
        return this.check();
      case 'openOrigin':
        return openOrigin(message.origin);
    }
  }

  private async edit({ edit, edits }: Extract<FromFineTune, { type: 'edit' }>): Promise<void> {
    try {
      await this.document.apply(edits, edit);
    } finally {
      this.session.post({ type: 'document', document: this.document.shown() });
    }
  }

  private async reset(): Promise<void> {
    const copy = await this.document.reset();
    const [firstModel] = this.services.catalog.models;
    if (firstModel) await this.document.apply([{ path: ['model'], value: firstModel.path }]);
    if (!copy) return;
    const open = vscode.l10n.t('Open the Copy');
    const said = vscode.l10n.t('The settings were reset. The old file is kept as a copy.');
    if ((await vscode.window.showInformationMessage(said, open)) === open) await vscode.window.showTextDocument(copy);
  }

  private async useSampleData(): Promise<void> {
    const { extensionUri, globalStorageUri } = this.services;
    const { fsPath } = await sampleData(extensionUri, globalStorageUri);
    await this.document.apply([{ path: ['data', 'path'], value: fsPath }, { path: ['data', 'format'] }]);
  }

  /** Checks the settings and data first, so that a problem with them does not leave a failed run behind. */
  private async start(): Promise<void> {
    try {
      const text = (await this.document.settled()).readable();
      const backend = await this.services.backend.ready();
      const { check } = await backend.request('loraWorkbench/config/check', text);
      if (!check.ok) throw new Error(check.problems.map(({ message }) => message).join('\n'));
      const failure = this.data.failureOf(text);
      if (failure !== undefined) throw new Error(failure);
      const { runId } = await backend.request('loraWorkbench/runs/start', text);
      this.showRun(runId);
    } catch (error) {
      this.session.post({ type: 'startFailed', message: error instanceof Error ? error.message : String(error) });
    }
  }

  private async browse(setting: BrowsableSetting): Promise<void> {
    const chosen = await browse(setting);
    if (chosen) await this.document.apply([{ path: setting.split('.'), value: chosen.fsPath }]);
  }
}
