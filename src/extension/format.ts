import * as vscode from 'vscode';
import { bytesInWords } from '../l10n/bytesInWords.js';
import type { RunStatus } from '../protocol/run.js';

export function formatBytes(bytes: number): string {
  return bytesInWords(bytes, vscode.env.language);
}

/** "45 s", "12 min", "3 h 20 min". */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return vscode.l10n.t('{0} s', Math.round(seconds));
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return vscode.l10n.t('{0} min', minutes);
  return vscode.l10n.t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
}

/** "82 ms", or "2.4 s" for the first answer, which may include loading the model. */
export function formatLatency(milliseconds: number): string {
  if (milliseconds < 1000) return vscode.l10n.t('{0} ms', Math.round(milliseconds));
  return vscode.l10n.t('{0} s', (milliseconds / 1000).toFixed(1));
}

/** "97.3 %"; never all of it, because chance is not ruled out. */
export function formatProbability(probability: number): string {
  const format = new Intl.NumberFormat(vscode.env.language, { style: 'percent', maximumSignificantDigits: 3 });
  return format.format(Math.min(probability, 0.999));
}

export function formatStatus(status: RunStatus): string {
  switch (status) {
    case 'queued':
      return vscode.l10n.t('waiting');
    case 'preparing':
      return vscode.l10n.t('preparing');
    case 'running':
      return vscode.l10n.t('running');
    case 'paused':
      return vscode.l10n.t('paused');
    case 'stopped':
      return vscode.l10n.t('stopped');
    case 'finished':
      return vscode.l10n.t('finished');
    case 'failed':
      return vscode.l10n.t('failed');
    case 'interrupted':
      return vscode.l10n.t('interrupted');
  }
}

/** "2 hours ago", in the user's language. */
export function formatAgo(iso: string): string {
  const seconds = (Date.parse(iso) - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat(vscode.env.language, { numeric: 'auto' });
  const [unit, length] = agoUnits.find(([, unitSeconds]) => -seconds >= unitSeconds) ?? lastUnit;
  return format.format(Math.ceil(seconds / length), unit);
}

const lastUnit = ['minute', 60] as const;
const agoUnits = [['month', 2_592_000], ['day', 86_400], ['hour', 3600], lastUnit] as const;

/** Short date and time in the user's locale. */
export function formatTime(iso: string): string {
  return new Date(iso).toLocaleString(vscode.env.language, { dateStyle: 'short', timeStyle: 'short' });
}
