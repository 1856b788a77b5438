import type { RunSummary } from '../../src/protocol/backend.js';
import { formatNumber, t } from '../shared/text.js';

/** One sentence about what is trained before a waiting run, or before one that is about to be put into the queue. */
export function aheadInWords([first, ...more]: readonly RunSummary[]): string {
  if (!first) return t('queue.now');
  const after = afterInWords(first.name, more.length);
  return first.state.status === 'paused' ? `${after} ${t('queue.paused', first.name)}` : after;
}

function afterInWords(name: string, more: number): string {
  if (more === 0) return t('queue.after', name);
  return more === 1 ? t('queue.afterOneMore', name) : t('queue.afterMore', name, formatNumber(more));
}
