import type { FetchState } from '../../src/protocol/views/fineTune.js';
import { announce } from '../shared/announce.js';
import { button, element, setText } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { formatBytes, t } from '../shared/text.js';

/** For users who have no model yet: downloads a small one, or lets them choose one of their own. */
export class FirstModel {
  private readonly download = button({
    kind: 'primary',
    icon: 'cloud-download',
    label: t('first.download'),
    onClick: () => post({ type: 'fetchSmallModel' }),
  });
  private readonly choose = button({
    icon: 'folder-opened',
    label: t('first.choose'),
    onClick: () => post({ type: 'browse', setting: 'model' }),
  });
  private readonly progress = element('progress', { 'aria-label': t('first.progress') });
  private readonly amount = element('span', { class: 'muted' });
  private readonly cancel = button({ label: t('first.cancel'), onClick: () => post({ type: 'cancelFetch' }) });
  private readonly fetching = element('div', { class: 'fetching' }, this.progress, this.amount, this.cancel);
  private readonly failure = element('p', { class: 'field-note failed', role: 'alert' });
  private readonly offers = element('div', { class: 'first-offers' }, this.download, this.choose);
  readonly root = element(
    'section',
    { class: 'first-model', 'aria-label': t('first.title') },
    element('h2', {}, t('first.title')),
    element('p', {}, t('first.explanation')),
    this.offers,
    this.fetching,
    this.failure,
  );
  private shown: FetchState['kind'] = 'none';

  update(hasModel: boolean, state: FetchState): void {
    this.root.hidden = hasModel && state.kind === 'none';
    this.offers.hidden = state.kind === 'fetching';
    this.fetching.hidden = state.kind !== 'fetching';
    this.failure.hidden = state.kind !== 'failed';
    if (state.kind === 'failed') setText(this.failure, state.message);
    if (state.kind === 'fetching') this.showProgress(state);
    if (this.shown === 'fetching' && state.kind === 'none' && hasModel) announce(t('first.done'));
    this.shown = state.kind;
  }

  private showProgress({ done, total }: Extract<FetchState, { kind: 'fetching' }>): void {
    // Without a value, the bar shows that the duration is unknown.
    if (total > 0) this.progress.value = done / total;
    else this.progress.removeAttribute('value');
    setText(this.amount, total > 0 ? t('first.amount', formatBytes(done), formatBytes(total)) : formatBytes(done));
  }
}
