import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { cancellablePace } from '../../analysis/pace.js';
import { UserError } from '../../core/errors.js';
import type { RunConfig } from '../../protocol/runConfig.js';
import type { SettingValue, SweepReport } from '../../protocol/sweep.js';
import { hasWorker } from '../../runs/queue/queueLock.js';
import { jsonOrText, readRunConfig } from '../../runs/runConfigFile.js';
import { RunDirectory } from '../../runs/runDirectory.js';
import { createSweep } from '../../sweep/createSweep.js';
import { evaluateSweep } from '../../sweep/evaluateSweep.js';
import { measureFinished } from '../../sweep/heldOut.js';
import { SweepFolder } from '../../sweep/sweepFolder.js';
import { sweepReport } from '../../sweep/sweepReport.js';
import { exportView } from '../exportView.js';
import { fetchDataView } from '../fetchDataView.js';
import { plural } from '../format.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import { keepQueueWorked } from '../keepQueueWorked.js';
import type { Output } from '../output.js';
import type { CommandContext } from '../runCommand.js';
import { shortestPath } from '../shortestPath.js';
import { recommendationInWords, sweepTable } from '../sweepText.js';
import { SweepView } from '../sweepView.js';

export interface SweepReportOptions {
  readonly evaluateCompletion?: boolean;
  readonly positions: number;
  readonly seed: number;
}

export interface SweepOptions extends SweepReportOptions {
  readonly config: string;
  readonly vary: readonly string[];
  readonly set?: readonly string[];
  readonly halving?: number;
  readonly out?: string;
}

/** Makes a sweep and trains its runs, with what else waits in the folder around it. */
export async function sweep(context: CommandContext, options: SweepOptions): Promise<ExitCode> {
  const { output, signal } = context;
  const config = readRunConfig(options.config, options.set);
  await fetchDataView(context, [config.data.path, config.data.eval_path]);
  const folder = makeSweep(config, options);
  const runsFolder = dirname(folder);
  output.say(`${plural(sweepReport(folder).rows.length, 'run')} in ${shortestPath(folder)}. Ctrl+C saves a checkpoint and ends.`);
  const view = new SweepView(output, folder);
  const code = await keepQueueWorked(runsFolder, { json: output.json, quiet: true }, signal).finally(() => view.end());
  const { isComplete } = sweepReport(folder);
  if (isComplete && code !== exitCodes.cancelled) return showSweep(context, folder, options);
  output.say(
    `Go on with: lora-workbench ${isComplete ? `sweep-report ${shortestPath(folder)}` : `queue ${shortestPath(runsFolder)}`}`,
  );
  return code;
}

function makeSweep(config: RunConfig, { vary, halving, out }: SweepOptions): string {
  const request = { config, parameters: parametersOf(vary), halving: halving === undefined ? null : { eta: halving } };
  if (out === undefined) return createSweep('runs', { ...request, name: null });
  if (existsSync(out)) throw new UserError('run-busy', `${out} exists already: choose another folder.`);
  return createSweep(dirname(resolve(out)), { ...request, name: basename(resolve(out)) });
}

/** Of `lora.r=2,4`; lists and texts with commas are given as JSON. */
function parametersOf(vary: readonly string[]): Record<string, readonly SettingValue[]> {
  const parameters = new Map<string, readonly unknown[]>();
  for (const given of vary) {
    const [, setting = '', values = ''] = /^([^=]+)=(.*)$/s.exec(given) ?? [];
    if (setting === '' || values === '')
      throw new UserError('config-invalid', `--vary ${given}: expected SETTING=VALUE,VALUE, such as lora.r=4,8,16.`);
    if (parameters.has(setting)) throw new UserError('config-invalid', `--vary ${given}: ${setting} is given twice.`);
    const list = jsonOrText(`[${values}]`);
    parameters.set(setting, Array.isArray(list) ? list : values.split(',').map(jsonOrText));
  }
  return Object.fromEntries(parameters) as Record<string, readonly SettingValue[]>; // the config's schema refuses others
}

/** Measures what an interruption has left unmeasured, and shows the report. */
export async function showSweep(context: CommandContext, folder: string, options: SweepReportOptions): Promise<ExitCode> {
  const { output, signal } = context;
  const opened = SweepFolder.open(folder);
  if (!hasWorker(dirname(opened.path)))
    await exportView(output, (tell) =>
      measureFinished(
        opened,
        cancellablePace((progress) => tell({ stage: 'analyzing', ...progress }), signal),
      ),
    );
  if (options.evaluateCompletion) {
    const { positions, seed } = options;
    const request = { sweepId: folder, positions, seed, ...asInTheEditor };
    await exportView(output, (tell) => evaluateSweep(request, opened.sweep.config.engine, tell, signal));
  }
  const report = sweepReport(folder);
  output.emit({ sweep: opened.path, ...report });
  tellReport(output, report);
  return exitCodes.done;
}

/** The editor's usual settings. */
const asInTheEditor = { mode: 'auto', fillInTheMiddle: 'auto', maxNewTokens: 64, adapterStrength: 1 } as const;

function tellReport(output: Output, report: SweepReport): void {
  output.say(sweepTable(report));
  output.say();
  for (const { runId, name, status } of report.rows) {
    const { message } = RunDirectory.open(runId).readState();
    if (status === 'failed' && message !== null) output.warn(`${name}: ${message}`);
  }
  output.say(output.bold(recommendationInWords(report)));
  output.say(`Everything is in ${shortestPath(report.sweepId)}; \`sweep-report\` shows this again.`);
}
