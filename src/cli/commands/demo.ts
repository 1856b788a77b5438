import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import type { RunState } from '../../protocol/run.js';
import type { RunConfig } from '../../protocol/runConfig.js';
import { readMetrics } from '../../runs/metricsFile.js';
import { newRunFolder } from '../../runs/newRunFolder.js';
import { readRunConfig } from '../../runs/runConfigFile.js';
import { RunDirectory } from '../../runs/runDirectory.js';
import { obtainDemoModel, type DemoModel } from '../demo/demoModel.js';
import type { Examined } from '../demo/examination.js';
import { examineInView } from '../demo/examinationView.js';
import { fetchView } from '../fetchView.js';
import { readQuestions } from '../demo/question.js';
import { resultOf, showResult } from '../demo/result.js';
import { duration } from '../format.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import { lossCurve, type LossCurve } from '../../runs/lossCurve.js';
import { lossChart } from '../lossChart.js';
import type { Output } from '../output.js';
import { preflightSummary } from '../preflightText.js';
import type { CommandContext } from '../runCommand.js';
import { shortestPath } from '../shortestPath.js';
import { trainWithView } from '../trainWithView.js';

export interface DemoOptions {
  readonly out?: string;
  readonly maxSteps?: number;
}

/** Goes from nothing to an adapter that has passed an examination: fetches a model, trains it and counts right answers. */
export async function demo(context: CommandContext, productFolder: string, options: DemoOptions): Promise<ExitCode> {
  const { output } = context;
  const examples = join(productFolder, 'examples');
  if (!existsSync(examples))
    throw new UserError('file-not-found', 'The demo needs the source folder of LoRA Workbench: its data lies in examples/.');
  output.say('A small language model learns on this machine to turn sentences into settings of a run, and is examined.');
  output.say('That takes a few minutes once the model is here.');

  heading(output, '1. The model');
  const model = await obtainModel(context, productFolder);

  heading(output, '2. The training');
  const config = demoConfig(examples, model, options.maxSteps);
  const run = RunDirectory.create(options.out ?? newRunFolder('runs', 'demo-'), config);
  const state = await train(context, run);
  if (state.status === 'stopped') {
    output.say(
      `Stopped after step ${state.step} of ${state.totalSteps}. Go on with: node dist/cli.js resume ${shortestPath(run.path)}`,
    );
    return exitCodes.cancelled;
  }
  const curve = showCurve(output, run);

  heading(output, '3. The examination');
  const questions = readQuestions(config.data.eval_path!);
  output.say(
    `  ${questions.length} sentences in wordings that were not trained on, answered by the base model and with the adapter of`,
  );
  output.say(`  the best step (${state.bestStep}). An answer is right if it is the expected JSON, value by value.`);
  const answers = await examineInView(context, model.path, run, questions);

  heading(output, '4. The result');
  const result = resultOf(answers, { base: curve.heldOut[0]!.loss, adapter: state.bestEvalLoss! });
  showResult(output, result);
  showWayOn(output, model, run, answers);
  output.emit({ model: model.name, pretrained: model.pretrained, run: run.path, adapter: run.bestAdapterPath, ...result });
  return exitCodes.done;
}

function heading(output: Output, text: string): void {
  output.say(`\n${output.bold(text)}`);
}

async function obtainModel({ output, signal }: CommandContext, productFolder: string): Promise<DemoModel> {
  const tinyModel = join(productFolder, 'test/fixtures/models/tiny-llama');
  const model = await fetchView(output, (report) => obtainDemoModel(tinyModel, report, signal));
  output.say(`  ${model.description}`);
  output.say(`  ${model.path}`);
  return model;
}

/** The tiny model has a small vocabulary, so the same text takes more tokens. */
const tinyLength = 512;

function demoConfig(examples: string, model: DemoModel, maxSteps: number | undefined): RunConfig {
  const overrides = [
    `model=${JSON.stringify(model.path)}`,
    ...(maxSteps === undefined ? [] : [`train.max_steps=${maxSteps}`]),
    ...(model.pretrained ? [] : [`data.max_seq_length=${tinyLength}`]),
  ];
  return readRunConfig(join(examples, 'run.json'), overrides);
}

/** Roughly as long as four evaluations and the examination. */
const restInSteps = 55;

function train(context: CommandContext, run: RunDirectory): Promise<RunState> {
  const { output } = context;
  output.say(`  into ${shortestPath(run.path)}. Ctrl+C saves a checkpoint and ends.`);
  return trainWithView(context, run, {
    onReport(report) {
      output.say(preflightSummary(report));
      const seconds = (report.totalSteps + restInSteps) * report.estimate.secondsPerStep;
      output.say(`\n  About ${duration(seconds)} from here to the result.\n`);
      output.emit({ preflight: report });
    },
  });
}

/** On a terminal, the curve is there already. */
function showCurve(output: Output, run: RunDirectory): LossCurve {
  const curve = lossCurve(readMetrics(run.metricsPath));
  if (!output.interactive) output.say(`\n${lossChart(curve, output.chartWidth, false)}`);
  return curve;
}

/** With one of the sentences that the adapter has understood, if any. */
function showWayOn(output: Output, { name }: DemoModel, run: RunDirectory, answers: readonly Examined[]): void {
  const { sentence } = answers.find(({ adapter }) => adapter.right) ?? answers[0]!;
  const adapter = shortestPath(run.bestAdapterPath);
  output.say(`\nThe adapter is in ${adapter}. Ask it yourself:`);
  output.say(`  node dist/cli.js generate --model ${name} --adapter ${adapter} --prompt "${sentence}"`);
}
