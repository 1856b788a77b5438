import { existsSync } from 'node:fs';
import { adapterSpectrum } from '../../analysis/adapterSpectrum.js';
import { findIntruders } from '../../analysis/intruders.js';
import { cancellablePace, type Pace } from '../../analysis/pace.js';
import { rankLosses } from '../../analysis/rankLosses.js';
import { UserError } from '../../core/errors.js';
import { linearNames } from '../../core/models/linears.js';
import { readAdapterFolder } from '../../files/adapterFolder.js';
import { modelPath } from '../../files/cacheFolder.js';
import {
  meanSimilarity,
  rankVerdict,
  type AdapterSpectrum,
  type IntruderReport,
  type MatrixName,
  type MatrixSpectrum,
  type RankLossReport,
} from '../../protocol/spectrum.js';
import { adapterAt } from '../../runs/adapterAt.js';
import type { DeviceSetting } from '../../runtime/chooseDevice.js';
import { baseOf } from '../baseOf.js';
import { exportView } from '../exportView.js';
import { integer, table } from '../format.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import type { CommandContext } from '../runCommand.js';

export interface SpectrumOptions {
  readonly model?: string;
  readonly compare?: string;
  readonly intruders?: string;
  readonly losses?: boolean;
  readonly data?: string;
  readonly device: DeviceSetting;
  readonly threads?: number;
}

export async function spectrum(context: CommandContext, given: string, options: SpectrumOptions): Promise<ExitCode> {
  const adapter = adapterAt(given);
  const other = options.compare === undefined ? null : adapterAt(options.compare);
  const watched = <Result>(work: (pace: Pace) => Promise<Result>) => withProgress(context, work);
  const found = await watched((pace) => adapterSpectrum({ adapter, other, model: baseIfThere(adapter, options) }, pace));
  const model = () => found.model ?? modelPath(baseOf(adapter));
  const place = options.intruders === undefined ? null : matrixNamed(options.intruders);
  const intruders = place && (await watched((pace) => findIntruders({ adapter, model: model(), ...place }, pace)));
  const losses = options.losses ? await watched((pace) => measure(adapter, model(), options, pace)) : null;
  context.output.emit({ ...found, intruders, losses });
  show(context, found);
  if (intruders) showIntruders(context, intruders);
  if (losses) showLosses(context, found, losses);
  return exitCodes.done;
}

function withProgress<Result>({ output, signal }: CommandContext, work: (pace: Pace) => Promise<Result>): Promise<Result> {
  return exportView(output, (report) => work(cancellablePace((progress) => report({ stage: 'analyzing', ...progress }), signal)));
}

/** The base is only needed for what is compared with it. */
function baseIfThere(adapter: string, { model }: SpectrumOptions): string | null {
  if (model !== undefined) return modelPath(model);
  const { baseModel } = readAdapterFolder(adapter);
  return baseModel !== null && existsSync(modelPath(baseModel)) ? modelPath(baseModel) : null;
}

function measure(adapter: string, model: string, { data, device, threads }: SpectrumOptions, pace: Pace) {
  return rankLosses({ adapter, model, data: data ?? null }, { device, threads: threads ?? null }, pace);
}

function matrixNamed(given: string): MatrixName {
  const [, layer, linear] = /^(\d+)\.(\w+)$/.exec(given) ?? [];
  if (layer !== undefined && linearNames.some((name) => name === linear)) return { layer: Number(layer), linear: linear! };
  const message = `--intruders ${given}: expected a layer and one of ${linearNames.join(', ')}, such as 5.q_proj.`;
  throw new UserError('config-invalid', message);
}

function show({ output }: CommandContext, found: AdapterSpectrum): void {
  output.say(verdictInWords(found));
  output.say();
  output.say('Ranks that hold 90 % of the change, by layer:');
  output.say(rankTable(found));
  output.say();
  output.say(table(summaryRows(found)));
  const similarity = meanSimilarity(found.matrices);
  if (!similarity) return;
  output.say();
  output.say('How much of the leading directions lies in those of the other adapter (mean φ):');
  output.say(
    table([
      ['What the weights read', `${share(similarity.input)}, by chance ${share(similarity.inputByChance)}`],
      ['What they write', `${share(similarity.output)}, by chance ${share(similarity.outputByChance)}`],
    ]),
  );
  output.say('Adapters that were trained with the same seed read the same directions from the start.');
}

function verdictInWords(found: AdapterSpectrum): string {
  const verdict = rankVerdict(found);
  switch (verdict.kind) {
    case 'nothing':
      return 'The adapter changes nothing: all of its matrices are zero.';
    case 'rankOne':
      return 'The adapter has rank 1.';
    case 'lowerWouldDo':
      return `Not all of rank ${found.rank} is in use: rank ${verdict.lower.rank} would keep ${share(verdict.lower.energyKept)} of the change.`;
    case 'allUsed':
      return `All of rank ${found.rank} is in use: rank ${verdict.lower.rank} would keep only ${share(verdict.lower.energyKept)} of the change.`;
  }
}

/** One row a layer, one column a linear. */
function rankTable({ matrices }: AdapterSpectrum): string {
  const linears = [...new Set(matrices.map(({ linear }) => linear))];
  const layers = [...new Set(matrices.map(({ layer }) => layer))];
  const cell = (layer: number, linear: string) =>
    String(matrices.find((each) => each.layer === layer && each.linear === linear)?.energyRank ?? '');
  const rows = [['', ...linears], ...layers.map((layer) => [String(layer), ...linears.map((linear) => cell(layer, linear))])];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.map((text, column) => text.padStart(widths[column]!)).join('  ')}`).join('\n');
}

function summaryRows({ matrices, ladder, model }: AdapterSpectrum): (readonly [string, string])[] {
  const mean = (of: (matrix: MatrixSpectrum) => number) =>
    matrices.reduce((sum, matrix) => sum + of(matrix), 0) / matrices.length;
  const changes = matrices.flatMap(({ norm, baseNorm }) => (baseNorm ? [norm / baseNorm] : []));
  return [
    ['Ranks by entropy', `${mean(({ entropyRank }) => entropyRank).toFixed(1)} on average`],
    ['Ranks for 90 % energy', `${mean(({ energyRank }) => energyRank).toFixed(1)} on average`],
    model === null || changes.length === 0
      ? ['‖ΔW‖ / ‖W‖', 'unknown; name the base with --model']
      : ['‖ΔW‖ / ‖W‖', `${share(Math.min(...changes))} to ${share(Math.max(...changes))}`],
    ...ladder.slice(1).map(({ rank, energyKept }) => [`Rank ${rank} would keep`, share(energyKept)] as const),
  ];
}

function showIntruders({ output }: CommandContext, { layer, linear, directions, intruders, threshold }: IntruderReport): void {
  output.say();
  output.say(
    `${intruders} of the ${directions.length} leading directions of ${linear} in layer ${layer} are intruders, unlike every direction of the base (cosine below ${threshold}).`,
  );
  output.say(
    table(
      directions.map(({ value, cosine }, index) => [`${index + 1}. σ ${value.toPrecision(4)}`, `cosine ${cosine.toFixed(3)}`]),
    ),
  );
}

function showLosses({ output }: CommandContext, { ladder }: AdapterSpectrum, report: RankLossReport): void {
  output.say();
  output.say(`Held-out loss of lower ranks (${integer(report.tokens)} tokens in ${integer(report.examples)} examples):`);
  const kept = (rank: number) => share(ladder.find((step) => step.rank === rank)?.energyKept ?? 0);
  output.say(
    table(
      report.losses.map(({ rank, loss, difference, halfInterval }, index) => [
        rank === 0 ? 'base' : `rank ${rank}`,
        index === 0 ? loss.toFixed(4) : `${loss.toFixed(4)}  ${signed(difference, halfInterval)}  energy ${kept(rank)}`,
      ]),
    ),
  );
  output.say(`Computed on ${report.engine}.`);
}

function signed(difference: number, halfInterval: number | null): string {
  const text = `${difference < 0 ? '−' : '+'}${Math.abs(difference).toFixed(4)}`;
  return halfInterval === null ? text : `${text} ± ${halfInterval.toFixed(4)}`;
}

function share(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
