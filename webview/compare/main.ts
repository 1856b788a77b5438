/** @file Several runs side by side: their plots together, and a table of what was set differently. */
import { boolean, list, object, string, type Guard } from '../../src/protocol/guard.js';
import type { CompareState } from '../../src/protocol/views/compare.js';
import { isBoardState, initialBoardState, PlotBoard, type BoardState } from '../plots/board.js';
import { RunStore } from '../runs/runStore.js';
import { RunChooser } from '../runs/runChooser.js';
import { element } from '../shared/dom.js';
import { oncePerFrame, paced } from '../shared/frame.js';
import { rememberedViewState, rememberViewState, startView, type Receiver } from '../shared/host.js';
import { t } from '../shared/text.js';
import { comparisonTable } from './comparisonTable.js';

interface ViewState {
  readonly chosen: readonly string[];
  readonly allSettings: boolean;
  readonly board: BoardState;
}

const isViewState: Guard<ViewState> = object({ chosen: list(string), allSettings: boolean, board: isBoardState });

function openCompare(state: CompareState): Receiver<'compare'> {
  let viewState: ViewState = rememberedViewState(isViewState, {
    chosen: state.runIds,
    allSettings: false,
    board: initialBoardState,
  });
  const remember = (change: Partial<ViewState>) => {
    viewState = { ...viewState, ...change };
    rememberViewState(viewState);
    refresh();
  };
  const store = new RunStore(state.runs);
  const board = new PlotBoard(viewState.board, (boardState) => {
    remember({ board: boardState });
  });
  const chooser = new RunChooser((chosen) => {
    remember({ chosen });
  });
  // The table scrolls on its own, and the keyboard must be able to reach what is out of sight.
  const table = element('div', { class: 'comparison', tabindex: 0, role: 'region', 'aria-label': t('compare.differences') });
  const hint = element('p', { class: 'muted' }, t('compare.choose'));
  const everything = element('input', { type: 'checkbox', checked: viewState.allSettings });
  everything.addEventListener('change', () => {
    remember({ allSettings: everything.checked });
  });

  const update = () => {
    const known = new Set(store.all.map(({ runId }) => runId));
    const chosen = viewState.chosen.filter((runId) => known.has(runId));
    store.follow(chosen);
    const runs = store.boardRuns(chosen);
    chooser.update(store.all, chosen);
    hint.hidden = chosen.length > 0;
    board.root.hidden = chosen.length === 0;
    board.show(runs);
    const compared = runs.map((run) => ({ ...run, summary: store.get(run.runId)!, config: store.config(run.runId) }));
    const made = comparisonTable(compared, viewState.allSettings);
    // Keeps a selection in the table.
    if (!made.isEqualNode(table.firstChild)) table.replaceChildren(made);
  };
  const refresh = oncePerFrame(update);
  const progressed = paced(document.body, () => {
    update();
    board.draw();
  });

  document.body.append(page({ chooser: chooser.root, hint, table, everything, board: board.root }));
  remember({});
  return (message) => {
    if (store.receive(message) === 'progress') progressed();
    else refresh();
  };
}

interface PageParts {
  readonly chooser: HTMLElement;
  readonly hint: HTMLElement;
  readonly table: HTMLElement;
  /** Checkbox for listing all settings. */
  readonly everything: HTMLElement;
  readonly board: HTMLElement;
}

/** What differs comes first, then how the runs went. */
function page({ chooser, hint, table, everything, board }: PageParts): HTMLElement {
  const title = t('compare.differences');
  const header = element(
    'header',
    { class: 'panel-header' },
    element('h2', {}, title),
    element('span', { class: 'spacer' }),
    element('label', { class: 'inline-control' }, everything, element('span', {}, t('compare.allSettings'))),
  );
  const runs = element(
    'aside',
    { class: 'compare-runs', 'aria-label': t('compare.runs') },
    element('h2', {}, t('compare.runs')),
    chooser,
  );
  const results = element('div', { class: 'results' }, hint, element('section', {}, header, table), board);
  return element('main', { class: 'compare', 'aria-label': t('compare.title') }, runs, results);
}

startView('compare', openCompare);
