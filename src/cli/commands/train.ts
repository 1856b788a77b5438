import type { PreflightReport } from '../../protocol/preflight.js';
import type { RunState } from '../../protocol/run.js';
import { preflight } from '../../runs/preflight/preflight.js';
import { newRunFolder } from '../../runs/newRunFolder.js';
import { readRunConfig } from '../../runs/runConfigFile.js';
import { RunDirectory } from '../../runs/runDirectory.js';
import { fetchDataView } from '../fetchDataView.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import type { Output } from '../output.js';
import type { CommandContext } from '../runCommand.js';
import { preflightConcerns, preflightSummary, sampleText } from '../preflightText.js';
import { shortestPath } from '../shortestPath.js';
import { trainWithView, type Turn } from '../trainWithView.js';

export interface TrainOptions {
  readonly config: string;
  readonly out?: string;
  readonly set?: readonly string[];
  readonly dryRun?: boolean;
}

export async function train(context: CommandContext, options: TrainOptions): Promise<ExitCode> {
  const config = readRunConfig(options.config, options.set);
  await fetchDataView(context, [config.data.path, config.data.eval_path]);
  if (!options.dryRun) return trainDirectory(context, RunDirectory.create(options.out ?? newRunFolder('runs'), config));
  const report = await preflight(config);
  context.output.emit(report);
  showReport(context.output, report);
  return exitCodes.done;
}

export function resume(context: CommandContext, folder: string): Promise<ExitCode> {
  return trainDirectory(context, RunDirectory.open(folder));
}

async function trainDirectory(context: CommandContext, run: RunDirectory): Promise<ExitCode> {
  const state = await trainAndTell(context, run);
  return state.status === 'stopped' && context.signal.aborted ? exitCodes.cancelled : exitCodes.done;
}

/** Trains a run directory and says how it ended. */
export async function trainAndTell(context: CommandContext, run: RunDirectory, turn: Turn = {}): Promise<RunState> {
  const { output } = context;
  const onReport = (report: PreflightReport) => {
    output.emit({ preflight: report });
    showReport(output, report);
    output.say();
  };
  const state = await trainWithView(context, run, { ...turn, onReport });
  output.emit({ run: run.path, ...state, adapter: run.adapterPath });
  showEnd(output, run, state);
  return state;
}

function showReport(output: Output, report: PreflightReport): void {
  output.say(preflightSummary(report));
  preflightConcerns(report).forEach((concern) => output.say(`  ${concern}`));
  if (!report.samples[0]) return;
  output.say();
  output.say(sampleText(report.samples[0], output));
}

function showEnd(output: Output, run: RunDirectory, state: RunState): void {
  const folder = shortestPath(run.path);
  if (state.status === 'queued') {
    output.say(`Left after step ${state.step} of ${state.totalSteps}; a checkpoint is saved, and the run waits in the queue.`);
    return;
  }
  if (state.status === 'stopped') {
    output.say(`Stopped after step ${state.step} of ${state.totalSteps}; a checkpoint is saved.`);
    output.say(`Go on with: lora-workbench resume ${folder}`);
    return;
  }
  output.say(state.message ?? `Finished after ${state.step} steps.`);
  if (state.bestEvalLoss !== null) {
    output.say(
      `Lowest held-out loss ${state.bestEvalLoss.toFixed(4)} at step ${state.bestStep}; that adapter is in ${shortestPath(run.bestAdapterPath)}.`,
    );
  }
  output.say(`The adapter is in ${shortestPath(run.adapterPath)}.`);
}
