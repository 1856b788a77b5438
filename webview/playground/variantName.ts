import type { AdapterInfo } from '../../src/protocol/backend.js';
import type { Variant } from '../../src/protocol/views/playground.js';
import { formatNumber, t } from '../shared/text.js';

/** "Base model", "support-answers", "support-answers × 0.5". */
export function variantName({ adapter, strength }: Variant, adapters: readonly AdapterInfo[]): string {
  if (adapter === null) return t('playground.base');
  const name = adapters.find(({ path }) => path === adapter)?.name ?? nameOf(adapter);
  return strength === 1 ? name : t('playground.variantAt', name, formatNumber(strength));
}

/** The name for a folder: if that is just "adapter", the run's name says more. */
export function nameOf(path: string): string {
  const parts = path.split(/[\\/]/).filter(Boolean);
  const last = parts.at(-1) ?? path;
  return /^adapter(-best)?$/.test(last) ? (parts.at(-2) ?? last) : last;
}
