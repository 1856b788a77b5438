import * as vscode from 'vscode';
import { usualLeakProbe, type LeakReport } from '../../protocol/leakProbe.js';
import { isLive } from '../../protocol/runs.js';
import type { Workbench } from '../workbench.js';
import { chosenRun } from './runCommands.js';

/** Looks for training text that a run's adapter writes word for word, and shows what was found as a document. */
export async function probeForLeaks(workbench: Workbench, argument: unknown): Promise<void> {
  const run = await chosenRun(
    workbench,
    argument,
    vscode.l10n.t('Probe which run for training text?'),
    (status) => !isLive(status),
  );
  if (!run) return;
  if (!run.hasAdapter) throw new Error(vscode.l10n.t('{0} has no adapter yet.', run.name));
  const adapter = vscode.Uri.joinPath(vscode.Uri.file(run.runId), 'adapter').fsPath;
  const title = vscode.l10n.t('Probing {0} for training text', run.name);
  const request = { run: run.runId, adapter, ...usualLeakProbe };
  const report = await workbench.work.run('loraWorkbench/adapters/leakProbe', request, title);
  if (report) await workbench.reports.show(`${vscode.l10n.t('Leak Probe of {0}', run.name)}.md`, reportText(report, run.name));
}

/** In Markdown. Four backticks, because training text may hold three. */
function reportText(report: LeakReport, name: string): string {
  const percent = (share: number) => (100 * share).toFixed(1);
  const [least, greatest] = report.interval;
  const lines = [
    `# ${vscode.l10n.t('Leak Probe of {0}', name)}`,
    verdict(report),
    vscode.l10n.t(
      'The rate is {0} %, and its 95 % interval {1} to {2} %.',
      percent(report.rate),
      percent(least),
      percent(greatest),
    ),
    vscode.l10n.t(
      '{0} of {1} places of the training text were probed (seed {2}). At each, the model was shown {3} tokens and wrote on, always with the likeliest token. What it wrote was compared token by token; {4} tokens or more are counted.',
      report.probed,
      report.places,
      report.seed,
      report.prefixTokens,
      report.matchTokens,
    ),
    vscode.l10n.t(
      'The adapter reproduced {0} places. Of these, {1} are not counted, because the base reproduces them, too.',
      report.reproduced,
      report.byBaseAlso,
    ),
    vscode.l10n.t(
      'A probe finds only what these places give away. Other prompts, and words that are nearly the same, can give away more.',
    ),
    ...report.leaks.flatMap(({ origin, prefix, text, tokens, baseTokens }) => [
      `## ${origin}`,
      vscode.l10n.t('{0} tokens in a row; the base differs after {1}. Shown, and then written:', tokens, baseTokens),
      block(prefix),
      block(text),
    ]),
  ];
  return `${lines.join('\n\n')}\n`;
}

function verdict({ leaks, probed, matchTokens }: LeakReport): string {
  return leaks.length === 0
    ? vscode.l10n.t('No verbatim training text was found.')
    : vscode.l10n.t(
        'In {0} of {1} places, the adapter goes on with the training text word for word, for {2} tokens or more, and the base does not.',
        leaks.length,
        probed,
        matchTokens,
      );
}

function block(text: string): string {
  return `\`\`\`\`text\n${text.replaceAll('````', '` ` ` `')}\n\`\`\`\``;
}
