import { existsSync } from 'node:fs';
import { probeForLeaks } from '../../analysis/leakProbe.js';
import { cancellablePace } from '../../analysis/pace.js';
import { UserError } from '../../core/errors.js';
import type { LeakProbeOptions, LeakReport } from '../../protocol/leakProbe.js';
import { RunDirectory } from '../../runs/runDirectory.js';
import type { DeviceSetting } from '../../runtime/chooseDevice.js';
import { exportView } from '../exportView.js';
import { integer, plural, table } from '../format.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import type { CommandContext } from '../runCommand.js';

export interface LeakProbeCommandOptions extends LeakProbeOptions {
  readonly best?: boolean;
  readonly device: DeviceSetting;
  readonly threads?: number;
}

export async function leakProbe(
  { output, signal }: CommandContext,
  given: string,
  { best, device, threads, probes, prefixTokens, matchTokens, seed }: LeakProbeCommandOptions,
): Promise<ExitCode> {
  const run = RunDirectory.open(given);
  const adapter = best ? run.bestAdapterPath : run.adapterPath;
  if (!existsSync(adapter)) throw new UserError('file-not-found', `${run.path} has no adapter yet.`);
  const request = { run: run.path, adapter, probes, prefixTokens, matchTokens, seed };
  const report = await exportView(output, (tell) => {
    const pace = cancellablePace((progress) => tell({ stage: 'analyzing', ...progress }), signal);
    return probeForLeaks(request, { device, threads: threads ?? null }, pace);
  });
  output.emit(report);
  output.say(inWords(report));
  output.say(table(rows(report)));
  for (const { origin, prefix, text, tokens, baseTokens } of report.leaks) {
    output.say();
    output.say(`${output.bold(origin)} (${tokens} tokens; the base differs after ${baseTokens})`);
    output.say(output.faint(`…${prefix}`));
    output.say(text);
  }
  return exitCodes.done;
}

function inWords({ leaks, probed, matchTokens }: LeakReport): string {
  if (leaks.length === 0) return `No verbatim training text was found in ${plural(probed, 'place')}.`;
  return `In ${integer(leaks.length)} of ${plural(probed, 'place')}, the adapter goes on with the training text word for word, for ${matchTokens} tokens or more, and the base does not.`;
}

function rows(report: LeakReport): (readonly [string, string])[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const [least, greatest] = report.interval;
  return [
    ['Rate', `${percent(report.rate)} (95 % interval ${percent(least)} to ${percent(greatest)})`],
    ['Reproduced', `${integer(report.reproduced)}, ${integer(report.byBaseAlso)} of them by the base, too`],
    ['Probed', `${integer(report.probed)} of ${plural(report.places, 'place')}, seed ${report.seed}`],
    ['Shown, then matched', `${report.prefixTokens} tokens, ${report.matchTokens} tokens`],
    ['Computed on', report.engine],
  ];
}
