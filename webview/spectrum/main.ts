/** @file What an adapter has learned: where, with how much of its rank, and what a lower one would cost. */
import { count, nullable, object, string, type Guard } from '../../src/protocol/guard.js';
import { meanSimilarity, rankVerdict, type MatrixName, type SimilarityGrids } from '../../src/protocol/spectrum.js';
import type { ShownSpectrum, SpectrumState } from '../../src/protocol/views/spectrum.js';
import { button, element } from '../shared/dom.js';
import { post, rememberedViewState, rememberViewState, startView, type Receiver } from '../shared/host.js';
import { showChoices } from '../shared/select.js';
import { formatNumber, formatPercent, t } from '../shared/text.js';
import { HeatMap, keyOf } from './heatMap.js';
import { ladderSection } from './ladder.js';
import { matrixDetails } from './matrixDetails.js';
import { measuresOf } from './measures.js';

interface ViewState {
  /** To be asked for after a reload of the window. */
  readonly adapter: string | null;
  readonly other: string | null;
  readonly measure: string;
  readonly layer: number;
  readonly linear: string;
}

const isViewState: Guard<ViewState> = object({
  adapter: nullable(string),
  other: nullable(string),
  measure: string,
  layer: count,
  linear: string,
});
const fresh: ViewState = { adapter: null, other: null, measure: '', layer: 0, linear: '' };

function openSpectrum({ shown }: SpectrumState): Receiver<'spectrum'> {
  return shown ? openShown(shown) : openRestored();
}

/** Decomposing takes a moment, so it waits until the user wants it. */
function openRestored(): Receiver<'spectrum'> {
  const { adapter, other } = rememberedViewState(isViewState, fresh);
  const again = button({
    label: t('spectrum.again'),
    kind: 'primary',
    onClick: () => {
      if (adapter !== null) post({ type: 'reopen', adapter, other });
    },
  });
  const text = element('p', {}, t(adapter === null ? 'spectrum.gone' : 'spectrum.restored'));
  document.body.append(page(element('div', { class: 'empty-state' }, text, adapter === null ? null : again)));
  return (message) => {
    if (message.type === 'busy') again.disabled = message.busy;
  };
}

function openShown(shown: ShownSpectrum): Receiver<'spectrum'> {
  const { spectrum, otherName } = shown;
  const grids = new Map<string, SimilarityGrids>();
  const intruders = new Map(shown.intruders.map((report) => [keyOf(report), report]));
  let losses = shown.losses;
  let busy = false;
  const measures = measuresOf(spectrum);
  let viewState: ViewState = {
    ...rememberedViewState(isViewState, fresh),
    adapter: spectrum.adapter,
    other: spectrum.other,
  };
  const chosenMatrix = () => spectrum.matrices.find((matrix) => keyOf(matrix) === keyOf(viewState)) ?? spectrum.matrices[0]!;
  const chosenMeasure = () => measures.find(({ name }) => name === viewState.measure) ?? measures[0]!;

  const map = new HeatMap(spectrum, (matrix) => {
    remember({ layer: matrix.layer, linear: matrix.linear });
  });
  const measureChoice = element('select', {
    'aria-label': t('spectrum.measure'),
    change: () => {
      remember({ measure: measureChoice.value });
    },
  });
  const compare = button({
    label: t('spectrum.compare'),
    onClick: () => {
      post({ type: 'compareWith' });
    },
  });
  const ladder = element('div', {});
  const details = element('div', { class: 'matrix-details' });

  const draw = () => {
    showChoices(
      measureChoice,
      measures.map(({ name, title }) => ({ value: name, label: t(title) })),
      chosenMeasure().name,
    );
    map.show(chosenMeasure());
    const matrix = chosenMatrix();
    map.select(matrix);
    compare.disabled = busy;
    ladder.replaceChildren(
      ladderSection(spectrum, losses, busy, () => {
        post({ type: 'measureRanks' });
      }),
    );
    const key = keyOf(matrix);
    const content = {
      matrix,
      otherName,
      hasBase: spectrum.model !== null,
      grids: grids.get(key),
      intruders: intruders.get(key),
      busy,
    };
    details.replaceChildren(
      ...matrixDetails(content, {
        showSimilarity: (asked: MatrixName) => {
          post({ type: 'showSimilarity', matrix: place(asked) });
        },
        findIntruders: (asked: MatrixName) => {
          post({ type: 'findIntruders', matrix: place(asked) });
        },
      }),
    );
  };
  const remember = (change: Partial<ViewState>) => {
    viewState = { ...viewState, ...change };
    rememberViewState(viewState);
    draw();
  };

  const head = element(
    'header',
    { class: 'panel-header' },
    element('h1', { title: spectrum.adapter }, shown.name),
    element('span', { class: 'spacer' }),
    compare,
  );
  const mapHead = element(
    'header',
    { class: 'panel-header' },
    element('h2', {}, t('spectrum.map')),
    element('span', { class: 'spacer' }),
    measureChoice,
  );
  const mapSection = element('section', {}, mapHead, element('p', { class: 'muted' }, t('spectrum.map.help')), map.root);
  const verdict = element('div', { class: 'verdict' }, ...verdictWords(shown).map((words) => element('p', {}, words)));
  document.body.append(page(head, verdict, mapSection, element('div', { class: 'spectrum-columns' }, details, ladder)));
  remember({});

  return (message) => {
    switch (message.type) {
      case 'busy':
        busy = message.busy;
        break;
      case 'losses':
        losses = message.report;
        break;
      case 'intruders':
        intruders.set(keyOf(message.report), message.report);
        break;
      case 'similarity':
        grids.set(keyOf(message.matrix), message.grids);
        break;
    }
    draw();
  };
}

/** Without the rest of the spectrum, which a structured clone would carry along. */
function place({ layer, linear }: MatrixName): MatrixName {
  return { layer, linear };
}

function verdictWords({ spectrum, otherName }: ShownSpectrum): string[] {
  const verdict = rankVerdict(spectrum);
  const words =
    verdict.kind === 'nothing' || verdict.kind === 'rankOne'
      ? t(`spectrum.verdict.${verdict.kind}`)
      : t(
          `spectrum.verdict.${verdict.kind}`,
          formatNumber(spectrum.rank),
          formatNumber(verdict.lower.rank),
          formatPercent(verdict.lower.energyKept),
        );
  const similarity = meanSimilarity(spectrum.matrices);
  if (!similarity || otherName === null) return [words];
  const { output, outputByChance } = similarity;
  return [words, t('spectrum.verdict.similarity', formatPercent(output), otherName, formatPercent(outputByChance))];
}

function page(...parts: readonly HTMLElement[]): HTMLElement {
  return element('main', { class: 'spectrum', 'aria-label': t('spectrum.title') }, ...parts);
}

startView('spectrum', openSpectrum);
