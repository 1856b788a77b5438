import * as vscode from 'vscode';
import type { AdapterInfo } from '../../protocol/backend.js';
import { baseOf } from '../../protocol/baseOf.js';
import type { MergeResult } from '../../protocol/mergeAdapters.js';
import { commandId } from '../contributions.js';
import type { Workbench } from '../workbench.js';
import { knownAdapters } from './adapterCommands.js';
import { namedBy } from './namedBy.js';
import { offer } from './offer.js';
import { pickAdapters } from './pick.js';

/** Adds adapters of one base with weights into a new one. */
export async function mergeAdapters(workbench: Workbench, argument: unknown, selected: readonly unknown[] = []): Promise<void> {
  const adapters = await chosenAdapters(workbench, argument, selected);
  const [first] = adapters;
  if (!first) return;
  const weights = await askWeights(adapters);
  const rank = weights && (await askRank(adapters));
  const out = rank && (await askName(first));
  if (!out) return;
  const request = {
    adapters: adapters.map(({ path }, index) => ({ path, weight: weights[index]! })),
    rank: rank.limit,
    out: out.fsPath,
  };
  const result = await workbench.work.run('loraWorkbench/adapters/merge', request, vscode.l10n.t('Merging adapters'));
  if (!result) return;
  await workbench.catalog.refresh();
  // Not awaited, because the command ends here.
  void showMerged(result);
}

/** At least two; none if the user closes the question or there are too few. */
async function chosenAdapters(
  workbench: Workbench,
  argument: unknown,
  selected: readonly unknown[],
): Promise<readonly AdapterInfo[]> {
  const known = await knownAdapters(workbench);
  const marked = selected.flatMap((item) => known.find(({ path }) => path === namedBy(item, 'path')) ?? []);
  if (marked.length > 1) return marked;
  const named = known.find(({ path }) => path === namedBy(argument, 'path'));
  const fitting = named ? known.filter((adapter) => sameBase(workbench, adapter, named)) : known;
  const chosen = await pickAdapters(
    workbench.catalog,
    fitting,
    named,
    vscode.l10n.t('Merge which adapters? Choose two or more.'),
  );
  if (chosen.length === 1) void vscode.window.showWarningMessage(vscode.l10n.t('Merging takes two adapters or more.'));
  return chosen.length > 1 ? chosen : [];
}

function sameBase({ catalog }: Workbench, a: AdapterInfo, b: AdapterInfo): boolean {
  const [ofA, ofB] = [a, b].map((adapter) => baseOf(adapter, catalog.models)?.path ?? adapter.baseModel);
  return ofA === ofB;
}

async function askWeights(adapters: readonly AdapterInfo[]): Promise<readonly number[] | undefined> {
  const names = adapters.map(({ name }) => name).join(', ');
  const answer = await vscode.window.showInputBox({
    title: vscode.l10n.t('Merge Adapters'),
    prompt: vscode.l10n.t('How much of each, in this order: {0}. A negative weight subtracts.', names),
    value: adapters.map(() => '1').join(' '),
    ignoreFocusOut: true,
    validateInput: (text) => (weightsIn(text, adapters.length) ? null : notWeights(adapters.length)),
  });
  return answer === undefined ? undefined : weightsIn(answer, adapters.length);
}

function notWeights(count: number): string {
  return vscode.l10n.t('Enter {0} numbers other than 0, with spaces between them.', count);
}

function weightsIn(text: string, count: number): number[] | undefined {
  const weights = text
    .trim()
    .split(/[\s,;，；]+/)
    .map(Number);
  return weights.length === count && weights.every((weight) => Number.isFinite(weight) && weight !== 0) ? weights : undefined;
}

/** A null limit keeps the sum of the ranks. */
async function askRank(adapters: readonly AdapterInfo[]): Promise<{ readonly limit: number | null } | undefined> {
  const exact = adapters.reduce((sum, { rank }) => sum + rank, 0);
  const isRank = (text: string) => /^\d*$/.test(text.trim()) && text.trim() !== '0';
  const answer = await vscode.window.showInputBox({
    title: vscode.l10n.t('Merge Adapters'),
    prompt: vscode.l10n.t('The largest rank of the sum. Leave it empty for rank {0}, which loses nothing.', exact),
    ignoreFocusOut: true,
    validateInput: (text) => (isRank(text) ? null : vscode.l10n.t('Enter a whole number from 1, or nothing.')),
  });
  if (answer === undefined) return undefined;
  return { limit: answer.trim() === '' ? null : Number(answer) };
}

/** The new adapter goes next to the first one, or next to its run, where it will be found, too. */
async function askName(first: AdapterInfo): Promise<vscode.Uri | undefined> {
  const parent = vscode.Uri.joinPath(vscode.Uri.file(first.path), ...(first.run ? ['..', '..'] : ['..']));
  const isName = (text: string) => /^[^\\/:*?"<>|.][^\\/:*?"<>|]*$/.test(text.trim());
  const name = await vscode.window.showInputBox({
    title: vscode.l10n.t('Merge Adapters'),
    prompt: vscode.l10n.t('A name for the new adapter, which is written to {0}.', parent.fsPath),
    value: 'merged',
    ignoreFocusOut: true,
    validateInput: (text) => (isName(text) ? null : vscode.l10n.t('Enter the name of a folder.')),
  });
  return name === undefined ? undefined : vscode.Uri.joinPath(parent, name.trim());
}

async function showMerged({ out, rank, loss, warning }: MergeResult): Promise<void> {
  const text =
    loss === null
      ? vscode.l10n.t('The merged adapter is in {0}. Its rank is {1}; nothing was lost.', out, rank)
      : vscode.l10n.t(
          'The merged adapter is in {0}. Its rank is {1}, which keeps {2} % of the energy (error {3} %).',
          out,
          rank,
          (100 * loss.energyKept).toFixed(1),
          (100 * loss.relativeError).toFixed(1),
        );
  const show = warning === null ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
  const words = warning === null ? text : `${text} ${warning}`;
  await offer(show, words, vscode.l10n.t('Try in Playground'), commandId('runInference'), { path: out });
}
