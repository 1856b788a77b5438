import * as vscode from 'vscode';
import { wilsonInterval } from '../../protocol/wilsonInterval.js';
import { adapterName } from '../adapterName.js';
import type { Counts, WriterCounts } from './counts.js';
import { probabilityOfPreference } from './preference.js';

/** Surer than this, a preference is said. */
const sure = 0.95;
const barWidth = 20;

/** The counts as a document in Markdown. */
export function statisticsText(all: Counts, blind: Counts): string {
  const sections = [
    `# ${vscode.l10n.t('Statistics of Inline Completion')}`,
    vscode.l10n.t(
      'Counted on this machine, and kept here. The setting {0} turns it off; {1} wipes it.',
      '`loraWorkbench.inlineCompletion.statistics`',
      vscode.l10n.t('Wipe Completion Statistics'),
    ),
    ...(all.length === 0
      ? [vscode.l10n.t('Nothing was suggested yet.')]
      : [
          table(all),
          vscode.l10n.t(
            'Kept: accepted characters that are still there after 30 and 300 seconds, whatever was typed between them. Changes of the Git branch are left out.',
          ),
        ]),
    ...(blind.length > 0 ? [`## ${vscode.l10n.t('Blind comparison')}`, preference(blind), table(blind)] : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

function table(counts: Counts): string {
  const titles = [
    vscode.l10n.t('Written by'),
    vscode.l10n.t('Shown'),
    vscode.l10n.t('Accepted'),
    vscode.l10n.t('Share, 95 % interval'),
    vscode.l10n.t('Words'),
    vscode.l10n.t('Kept 30 s'),
    vscode.l10n.t('Kept 300 s'),
  ];
  const rows = [titles, titles.map(() => '---'), ...counts.map(cells)];
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function cells(own: WriterCounts): string[] {
  const { shown, accepted, acceptedWords, kept } = own;
  const [least, greatest] = wilsonInterval(accepted, shown);
  const share = shown === 0 ? 0 : accepted / shown;
  const bar = '█'.repeat(Math.round(barWidth * share)).padEnd(barWidth, '░');
  return [
    writerName(own),
    String(shown),
    String(accepted),
    `${bar} ${percent(share)} (${percent(least)}–${percent(greatest)})`,
    String(acceptedWords),
    ...kept.map((each) => (each.lookedAt === 0 ? '–' : percent(each.kept / each.lookedAt))),
  ];
}

function preference(counts: Counts): string {
  const [first, second] = counts;
  if (!first || !second) return vscode.l10n.t('Only one of the two has suggested something so far.');
  const probability = probabilityOfPreference(first, second);
  const [better, certainty] = probability >= 0.5 ? [second, probability] : [first, 1 - probability];
  return certainty >= sure
    ? vscode.l10n.t(
        '{0} is preferred: with a probability of {1}, it is accepted more often.',
        writerName(better),
        percent(certainty),
      )
    : vscode.l10n.t(
        'Not decided yet: with a probability of {1}, {0} is accepted more often.',
        writerName(better),
        percent(certainty),
      );
}

function writerName({ model, adapter }: WriterCounts): string {
  return adapter === null ? vscode.l10n.t('base {0}', adapterName(model)) : adapterName(adapter);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
