import type { SampleSequence, SampleToken } from '../../src/protocol/preflight.js';
import { element } from '../shared/dom.js';
import { counted, t } from '../shared/text.js';
import { originLink } from './originLink.js';

/** A sequence token by token, as the model sees it. `remarks` are shown next to its length. */
export function sequence({ origin, tokens, cut }: SampleSequence, remarks: readonly string[] = []): HTMLElement {
  const facts = [counted('data.tokens', tokens.length), ...remarks].join(' · ');
  const rest = cut > 0 ? element('span', { class: 'token cut' }, counted('tokens.cut', cut)) : null;
  return element(
    'article',
    { class: 'sample' },
    element('header', {}, originLink(origin), element('span', { class: 'muted' }, facts)),
    element(
      'p',
      { class: 'tokens', tabindex: 0, role: 'group', 'aria-label': t('tokens.of', origin) },
      ...tokens.map(token),
      rest,
    ),
  );
}

/** Makes line breaks and spaces visible: to the model they are tokens like any other. */
function token({ id, text, learned }: SampleToken): HTMLElement {
  const visible = text.replaceAll('\n', '⏎\n').replaceAll('\t', '⇥').replaceAll(' ', '·');
  const title = t(learned ? 'tokens.learned' : 'tokens.context', id);
  return element('span', { class: `token ${learned ? 'learned' : 'context'}`, title }, visible || '∅');
}

export function tokenLegend(): HTMLElement {
  const entry = (kind: string, text: string) =>
    element('li', {}, element('span', { class: `token ${kind}` }, t('tokens.token')), ` ${text}`);
  return element(
    'ul',
    { class: 'token-legend' },
    entry('learned', t('tokens.legend.learned')),
    entry('context', t('tokens.legend.context')),
    entry('cut', t('tokens.legend.cut')),
  );
}
