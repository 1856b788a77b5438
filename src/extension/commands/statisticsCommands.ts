import * as vscode from 'vscode';
import type { AdapterInfo } from '../../protocol/backend.js';
import { adaptersFor } from '../../protocol/baseOf.js';
import { preferenceOf, type Comparison, type Writer } from '../../protocol/completionStatistics.js';
import { chooseOne } from '../ask.js';
import { formatProbability } from '../format.js';
import type { ComparisonCounts } from '../live/counts.js';
import { writerName } from '../live/writerName.js';
import { setting } from '../settings.js';
import type { Workbench } from '../workbench.js';
import { knownAdapters } from './adapterCommands.js';
import { pickAdapter } from './pick.js';

export async function wipeCompletionStatistics({ live }: Workbench): Promise<void> {
  const wipe = vscode.l10n.t('Wipe');
  const question = vscode.l10n.t('Wipe everything that was counted about suggestions, blind comparisons included?');
  if ((await vscode.window.showWarningMessage(question, { modal: true }, wipe)) === wipe) await live.wipe();
}

/** Starts a blind comparison of base and adapter or of two adapters; if one is going on, stops it and shows the result. */
export async function compareBlindly(workbench: Workbench): Promise<void> {
  const { comparison } = workbench.completion;
  await (comparison ? stop(workbench, comparison) : start(workbench));
}

async function start(workbench: Workbench): Promise<void> {
  if (!setting('inlineCompletion.statistics'))
    throw new Error(
      vscode.l10n.t('A blind comparison counts suggestions, and {0} is off.', 'loraWorkbench.inlineCompletion.statistics'),
    );
  const writers = await chooseWriters(workbench);
  if (!writers) return;
  await workbench.live.compareBlindly({ startedAt: Date.now(), writers });
  const names = writers.map((writer) => writerName(writer, workbench.catalog.adapters));
  void vscode.window.showInformationMessage(
    vscode.l10n.t(
      '{0} and {1} now take turns, in an order that is not shown. Run the command again to see which one you preferred.',
      ...names,
    ),
  );
}

async function stop(workbench: Workbench, { startedAt }: Comparison): Promise<void> {
  const { completion, live, statistics } = workbench;
  await completion.compareBlindly(undefined);
  statistics.show();
  const counts = live.comparisons.find((comparison) => comparison.startedAt === startedAt);
  await tellResult(workbench, counts);
}

/** The base and the adapter in use, or two adapters of this base, which needs no question where there is only one. */
async function chooseWriters(workbench: Workbench): Promise<Comparison['writers'] | undefined> {
  const { inUse } = workbench.completion;
  if (!inUse) throw new Error(vscode.l10n.t('Nothing can be compared while inline completion is off.'));
  const { model, adapter } = inUse;
  const baseAndAdapter: Comparison['writers'] = [
    { model, adapter: null },
    { model, adapter },
  ];
  const adapters = adaptersFor(model, await knownAdapters(workbench), workbench.catalog.models);
  if (adapters.length < 2) return baseAndAdapter;
  const [base, own] = baseAndAdapter.map((writer) => writerName(writer, adapters));
  const kind = await chooseOne(
    [
      { label: vscode.l10n.t('{0} and {1}', base!, own!), value: 'base' as const },
      { label: vscode.l10n.t('Two adapters…'), value: 'adapters' as const },
    ],
    vscode.l10n.t('Who should take turns?'),
  );
  if (kind === undefined) return undefined;
  return kind === 'base' ? baseAndAdapter : chooseAdapters(workbench, model, adapters);
}

async function chooseAdapters(
  { catalog }: Workbench,
  model: string,
  adapters: readonly AdapterInfo[],
): Promise<Comparison['writers'] | undefined> {
  const first = await pickAdapter(catalog, vscode.l10n.t('Compare which adapter?'), adapters);
  const others = adapters.filter((adapter) => adapter !== first);
  const second = first && (await pickAdapter(catalog, vscode.l10n.t('Compare {0} with which adapter?', first.name), others));
  if (!second) return undefined;
  const writer = ({ path }: AdapterInfo): Writer => ({ model, adapter: path });
  return [writer(first), writer(second)];
}

/** By name, with how sure it is, and the next step. */
async function tellResult({ completion, live, catalog }: Workbench, counts: ComparisonCounts | undefined): Promise<void> {
  const preference = counts && preferenceOf(counts.arms);
  if (!preference) {
    const text = vscode.l10n.t('The blind comparison is over. It needs suggestions of both, and there were not.');
    return void vscode.window.showInformationMessage(text);
  }
  const better = counts.arms[preference.preferred];
  const [name, probability] = [writerName(better, catalog.adapters), formatProbability(preference.probability)];
  if (!preference.isSure) {
    const text = vscode.l10n.t('Not decided: with a probability of {1}, {0} is accepted more often.', name, probability);
    const goOn = vscode.l10n.t('Go On Comparing');
    if ((await vscode.window.showInformationMessage(text, goOn)) === goOn) await live.goOnComparing(counts);
    return;
  }
  const text = vscode.l10n.t('You preferred {0}: with a probability of {1}, it is accepted more often.', name, probability);
  const use = vscode.l10n.t('Use the Preferred One');
  if ((await vscode.window.showInformationMessage(text, use)) === use) await completion.useWriter(better);
}
