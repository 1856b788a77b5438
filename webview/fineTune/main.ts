/** @file The Fine-Tune panel: the settings of the next run, next to plots, data and pre-flight if they fit, else in a tab. */
import { aheadOfNew } from '../../src/protocol/queue.js';
import { boolean, list, object, string, type Guard } from '../../src/protocol/guard.js';
import type { ToWebview } from '../../src/protocol/views/registry.js';
import type { ToRunViewer } from '../../src/protocol/views/runViewer.js';
import type { FineTuneState } from '../../src/protocol/views/fineTune.js';
import { isBoardState, initialBoardState, PlotBoard, type BoardState } from '../plots/board.js';
import { isForRunStore, RunStore } from '../runs/runStore.js';
import { RunChooser } from '../runs/runChooser.js';
import { RunStatusView } from '../runs/runStatus.js';
import { button, element, setText } from '../shared/dom.js';
import { oncePerFrame, paced } from '../shared/frame.js';
import { whenViewEnds } from '../shared/lifetime.js';
import { post, rememberedViewState, rememberViewState, startView, type Receiver } from '../shared/host.js';
import { t } from '../shared/text.js';
import { Tabs } from '../shared/tabs.js';
import { ConfigForm } from './configForm.js';
import { EstimatePanel } from './estimatePanel.js';
import { FormConfig } from './formConfig.js';
import { DataTab } from './dataTab.js';
import { editsToRun } from './editsToRun.js';
import { PreflightTab } from './preflightTab.js';
import { RunOutcome } from './runOutcome.js';
import { RunSettings } from './runSettings.js';
import { SamplesTab } from './samplesTab.js';
import { StartBar, type Refusal } from './startBar.js';

interface ViewState {
  /** Empty until one is chosen. */
  readonly tab: string;
  readonly advancedOpen: boolean;
  readonly overlaid: readonly string[];
  readonly board: BoardState;
}

const isViewState: Guard<ViewState> = object({
  tab: string,
  advancedOpen: boolean,
  overlaid: list(string),
  board: isBoardState,
});
/** Narrower panels show one thing at a time. */
const roomForTwo = window.matchMedia('(min-width: 761px)');

const initialViewState: ViewState = { tab: '', advancedOpen: false, overlaid: [], board: initialBoardState };

function frontTab({ showsData, runId }: FineTuneState, remembered: string): string {
  if (showsData) return 'data';
  return remembered || (runId ? 'plots' : 'settings');
}

class FineTunePanel {
  private viewState = rememberedViewState(isViewState, initialViewState);
  private readonly store: RunStore;
  private readonly config = new FormConfig(() => {
    this.refresh();
  });
  private readonly form = new ConfigForm(this.config, this.viewState.advancedOpen, (advancedOpen) => {
    this.remember({ advancedOpen });
  });
  private readonly estimate = new EstimatePanel(this.config);
  private readonly preflight = new PreflightTab(() => {
    this.config.flush();
  });
  private readonly samplesTab = new SamplesTab();
  private readonly dataTab = new DataTab();
  private readonly board = new PlotBoard(this.viewState.board, (board) => {
    this.remember({ board });
  });
  private readonly status = new RunStatusView(['startNow', 'dequeue', 'showLog', 'reveal', 'pause', 'resume', 'stop']);
  private readonly outcome = new RunOutcome((config) => {
    this.form.replace(editsToRun(config));
    this.showSettings();
  });
  private readonly runSettings = new RunSettings({
    use: (config) => {
      this.form.replace(editsToRun(config));
    },
    leave: () => {
      post({ type: 'leaveRun' });
      this.showSettings();
    },
  });
  private readonly shownRun = element('div', { class: 'shown-run' });
  private readonly chooser = new RunChooser((runIds) => {
    this.remember({ overlaid: runIds });
    this.refresh();
  });
  private readonly noRun = element(
    'div',
    { class: 'empty-state' },
    element('p', {}, t('panel.noRun')),
    button({
      label: t('preflight.run'),
      onClick: () => {
        this.runPreflight();
      },
    }),
  );
  private readonly overlay = element(
    'details',
    { class: 'overlay' },
    element('summary', {}, t('panel.overlay')),
    this.chooser.root,
  );
  private readonly documentName = element('span', { class: 'document-name' });
  private readonly startBar = new StartBar(
    [this.form.undo.root, this.estimate.root],
    () => {
      this.startRun();
    },
    () => {
      this.config.flush();
      post({ type: 'sweep' });
    },
  );
  private readonly tabs: Tabs;
  private starting = false;
  readonly refresh = oncePerFrame(() => {
    this.update();
  });
  /** Runs change more often than the form. */
  private readonly refreshRun = oncePerFrame(() => {
    this.updateRun();
  });
  private readonly progressed = paced(document.body, () => {
    this.updateShownRun();
    this.board.draw();
  });

  constructor(private state: FineTuneState) {
    this.store = new RunStore(state.runs);
    this.shownRun.append(this.status.root, this.outcome.root, this.runSettings.root);
    const plots = element('div', { class: 'plots-panel' }, this.noRun, this.shownRun, this.overlay, this.board.root);
    const panels = [
      { id: 'settings', title: t('panel.settings'), panel: element('div', { class: 'settings-panel' }, this.form.root) },
      { id: 'plots', title: t('panel.plots'), panel: plots },
      { id: 'samples', title: t('panel.samples'), panel: element('div', {}, this.samplesTab.root) },
      { id: 'data', title: t('panel.data'), panel: element('div', {}, this.dataTab.root) },
      { id: 'preflight', title: t('panel.preflight'), panel: element('div', {}, this.preflight.root) },
    ];
    this.tabs = new Tabs(panels, frontTab(state, this.viewState.tab), (tab) => {
      this.remember({ tab });
      this.refresh();
    });
    const [settings, ...results] = panels.map(({ panel }) => panel);
    document.body.append(
      element(
        'main',
        { class: 'fine-tune', 'aria-label': t('panel.title') },
        this.header(),
        this.tabs.list,
        settings!,
        element('div', { class: 'results' }, ...results),
        this.startBar.root,
      ),
    );
    if (state.showsData) this.remember({ tab: 'data' });
    this.useRoom();
    this.config.receive(state.document);
    this.update();
  }

  readonly receive: Receiver<'fineTune'> = (message) => {
    if (isForRunStore(message)) {
      return this.store.receive(message) === 'progress' ? this.progressed() : this.refreshRun();
    }
    this.change(message);
    this.refresh();
  };

  private change(message: Exclude<ToWebview<'fineTune'>, ToRunViewer>): void {
    switch (message.type) {
      case 'document':
        this.state = { ...this.state, document: message.document };
        return this.config.receive(message.document);
      case 'checked':
        this.state = { ...this.state, check: message.check, modelShape: message.modelShape };
        return;
      case 'models':
        this.state = { ...this.state, models: message.models };
        return;
      case 'data':
        this.state = { ...this.state, data: message.data };
        // There is no run to look at yet, so show what it would learn from.
        if (message.data.kind === 'ready' && !this.state.runId && this.tabs.front === 'plots') this.tabs.select('data');
        return;
      case 'showData':
        return this.tabs.select('data');
      case 'examples':
        return this.dataTab.showExamples(message.page);
      case 'examplesFailed':
        return this.dataTab.failExamples(message.message);
      case 'preflight':
        this.state = { ...this.state, preflight: message.preflight };
        return;
      case 'shownRun':
        this.starting = false;
        this.state = { ...this.state, runId: message.runId };
        if (message.runId) this.tabs.select('plots');
        return;
      case 'startFailed':
        this.starting = false;
        return this.startBar.fail(message.message);
      case 'fetching':
        this.state = { ...this.state, fetching: message.fetching };
    }
  }

  private update(): void {
    const { data, preflight, check, modelShape } = this.state;
    setText(this.documentName, this.state.document.name);
    this.documentName.title = this.state.document.name;
    this.form.update(this.state);
    const rows = data.kind === 'ready' ? data.overview.rows : null;
    const totalSeconds = preflight.kind === 'ready' && preflight.current ? preflight.report.estimate.totalSeconds : null;
    this.estimate.update({ modelShape, estimate: check?.ok ? check.estimate : null, rows, totalSeconds });
    this.dataTab.update(data, this.tabs.front === 'data');
    this.preflight.update(preflight);
    this.updateRun();
  }

  private refusal(): Refusal | null {
    const trouble = this.form.trouble();
    if (!trouble) return null;
    const reveal = () => {
      this.showSettings(trouble.reveal);
    };
    return { reason: trouble.reason, reveal };
  }

  private updateRun(): void {
    const run = this.store.get(this.state.runId);
    const others = this.store.all.filter(({ runId }) => runId !== this.state.runId);
    const overlaid = this.viewState.overlaid.filter((runId) => others.some((other) => other.runId === runId));
    const shown = [...(run ? [run.runId] : []), ...overlaid];
    this.noRun.hidden = shown.length > 0;
    this.shownRun.hidden = !run;
    this.overlay.hidden = others.length === 0;
    this.board.root.hidden = shown.length === 0;
    this.startBar.update(this.refusal(), aheadOfNew(this.store.all, this.state.runsFolder), this.starting);
    this.chooser.update(others, overlaid);
    this.store.follow(shown);
    this.board.show(this.store.boardRuns(shown));
    this.updateShownRun();
  }

  private updateShownRun(): void {
    const run = this.store.get(this.state.runId);
    this.samplesTab.update(run, this.store.samples(run?.runId), run && this.store.config(run.runId));
    const [drawn] = run ? this.store.boardRuns([run.runId]) : [];
    if (!run || !drawn) return;
    const config = this.store.config(run.runId);
    const editable = this.state.document.kind === 'parsed';
    this.status.update(run, drawn.series, this.store.all);
    this.outcome.update(run, drawn.series, config, editable);
    this.runSettings.update(config, editable);
  }

  private runPreflight(): void {
    this.config.flush();
    post({ type: 'runPreflight' });
    this.tabs.select('preflight');
  }

  private startRun(): void {
    this.config.flush();
    this.starting = true;
    this.startBar.fail(null);
    post({ type: 'start' });
    this.refresh();
  }

  /** Brings the settings to the front and focuses the first of them, or does what `reveal` does instead. */
  private showSettings(reveal: () => void = () => this.form.focus()): void {
    if (!roomForTwo.matches) this.tabs.select('settings');
    reveal();
  }

  private useRoom(): void {
    const arrange = () => {
      this.tabs.pin(roomForTwo.matches ? 'settings' : undefined);
      this.refresh();
    };
    roomForTwo.addEventListener('change', arrange);
    whenViewEnds(() => {
      roomForTwo.removeEventListener('change', arrange);
    });
    arrange();
  }

  private header(): HTMLElement {
    const openJson = button({
      kind: 'link',
      icon: 'json',
      label: t('panel.openJson'),
      onClick: () => {
        this.config.flush();
        post({ type: 'openJson' });
      },
    });
    return element(
      'header',
      { class: 'panel-header' },
      element('h1', {}, t('panel.newRun')),
      this.documentName,
      element('span', { class: 'spacer' }),
      openJson,
    );
  }

  private remember(change: Partial<ViewState>): void {
    this.viewState = { ...this.viewState, ...change };
    rememberViewState(this.viewState);
  }
}

startView('fineTune', (state) => new FineTunePanel(state).receive);
