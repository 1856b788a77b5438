import { existsSync } from 'node:fs';
import { UserError } from '../../core/errors.js';
import { mergeAdapters } from '../../export/mergeAdapters.js';
import type { MergeRequest, MergeResult, RankLoss } from '../../protocol/mergeAdapters.js';
import { adapterAt } from '../../runs/adapterAt.js';
import { writeSumCard } from '../../runs/card/writeModelCard.js';
import { exportView } from '../exportView.js';
import { table } from '../format.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import type { CommandContext } from '../runCommand.js';

export interface MergeOptions {
  readonly out: string;
  readonly rank?: number;
}

export async function merge(
  { output, signal }: CommandContext,
  given: readonly string[],
  options: MergeOptions,
): Promise<ExitCode> {
  const adapters = given.map(weighted);
  const request = { adapters, rank: options.rank ?? null, out: options.out };
  const result = await exportView(output, (report) =>
    mergeAdapters(request, (progress) => report({ stage: 'merging', ...progress }), signal),
  );
  writeSumCard(request, result);
  if (result.warning !== null) output.warn(result.warning);
  output.emit({ ...result, adapters });
  output.say(`The merged adapter is in ${result.out}.`);
  output.say(table([...sources(adapters), ['Base model', result.baseModel ?? 'not named'], ...lossRows(result)]));
  return exitCodes.done;
}

/** ADAPTER[:WEIGHT]; what exists under the whole name is an adapter without a weight. */
function weighted(given: string): MergeRequest['adapters'][number] {
  const [, path, weight] = /^(.+):([-+]?(?:\d+\.?\d*|\.\d+))$/.exec(given) ?? [];
  if (path === undefined || existsSync(given)) return { path: adapterAt(given), weight: 1 };
  if (Number(weight) === 0) throw new UserError('config-invalid', `${given}: the weight must not be 0. Leave the adapter out.`);
  return { path: adapterAt(path), weight: Number(weight) };
}

function sources(adapters: MergeRequest['adapters']): (readonly [string, string])[] {
  return adapters.map(({ path, weight }, index) => [index === 0 ? 'Sum of' : '', `${weight} × ${path}`]);
}

function lossRows({ rank, exactRank, loss }: MergeResult): (readonly [string, string])[] {
  if (loss === null) return [['Rank', `${rank}, which loses nothing`]];
  return [
    ['Rank', `${rank}; ${exactRank} would lose nothing`],
    ['Error', `${lossInWords(loss)} (relative to the exact sum, Frobenius norm)`],
    ...loss.byLinear.map(({ linear, ...own }) => [`  ${linear}`, lossInWords(own)] as const),
  ];
}

function lossInWords({ relativeError, energyKept }: RankLoss): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return `${percent(relativeError)}, ${percent(energyKept)} of the energy kept`;
}
