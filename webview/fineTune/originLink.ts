import { button } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { t } from '../shared/text.js';

/** Opens a file, or `path:line` in it. Labelled with the file name unless a label is given; the tooltip has the whole path. */
export function originLink(origin: string, label = origin.split(/[\\/]/).at(-1)!): HTMLElement {
  return button({
    kind: 'link',
    label,
    title: `${t('data.open')}\n${origin}`,
    onClick: () => {
      post({ type: 'openOrigin', origin });
    },
  });
}
