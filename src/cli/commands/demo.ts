import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { UserError } from '../../core/errors.js';
import { greedy } from '../../core/generate/sampling.js';
import { writeText } from '../../core/generate/writeText.js';
import type { RunConfig } from '../../protocol/runConfig.js';
import { readMetrics } from '../../runs/metricsFile.js';
import { newRunFolder } from '../../runs/newRunFolder.js';
import { readRunConfig } from '../../runs/runConfigFile.js';
import { RunDirectory } from '../../runs/runDirectory.js';
import { sideBySide, wrapText } from '../columns.js';
import { obtainDemoModel, type DemoModel } from '../demo/demoModel.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import { encodePrompt } from '../../runs/promptTemplate.js';
import { lossCurve, type LossCurve } from '../../runs/lossCurve.js';
import { lossChart } from '../lossChart.js';
import type { Output } from '../output.js';
import type { CommandContext } from '../runCommand.js';
import { preflightSummary } from '../preflightText.js';
import { fetchView } from '../fetchView.js';
import { trainWithView } from '../trainWithView.js';
import { withTextModel } from '../withTextModel.js';

export interface DemoOptions {
  readonly out?: string;
  readonly maxSteps?: number;
}

/** Goes from nothing to an adapter that answers: fetches a model, runs the pre-flight, trains and compares answers. */
export async function demo(context: CommandContext, productFolder: string, options: DemoOptions): Promise<ExitCode> {
  const { output, signal } = context;
  const examples = join(productFolder, 'examples');
  if (!existsSync(examples))
    throw new UserError('file-not-found', 'The demo needs the source folder of LoRA Workbench: its data lies in examples/.');

  heading(output, '1. The model');
  const model = await fetchView(output, (report) =>
    obtainDemoModel(join(productFolder, 'test/fixtures/models/tiny-llama'), report, signal),
  );
  output.say(`  ${model.description}`);
  output.say(`  ${model.path}`);

  heading(output, '2. Fine-tuning');
  const config = demoConfig(examples, model, options.maxSteps);
  const run = RunDirectory.create(options.out ?? newRunFolder('runs', 'demo-'), config);
  const folder = relative(process.cwd(), run.path) || run.path;
  output.say(`  on questions and answers about LoRA, into ${folder}. Ctrl+C saves a checkpoint and ends.`);
  const state = await trainWithView(context, run, (report) => {
    output.say(preflightSummary(report));
    output.emit({ preflight: report });
    output.say();
  });
  if (state.status === 'stopped') {
    output.say(`Stopped after step ${state.step} of ${state.totalSteps}. Go on with: node dist/cli.js resume ${folder}`);
    return exitCodes.cancelled;
  }

  heading(output, '3. The loss');
  const curve = lossCurve(readMetrics(run.metricsPath));
  output.say(lossChart(curve, Math.min(output.width, 100), output.colour));
  output.say();
  const [before, after] = showHeldOut(output, curve);

  heading(output, '4. Held-out questions, answered by the base model and with the adapter');
  output.say('  Both get the same prompt and always take the likeliest token. Neither has seen these questions.');
  const answers = await compareAnswers(context, model, run, heldOutQuestions(config));
  output.say();
  output.say(`The adapter is in ${relative(process.cwd(), run.adapterPath)}. Ask it something:`);
  output.say(
    `  node dist/cli.js generate --model ${model.name} --adapter ${relative(process.cwd(), run.adapterPath)} --prompt "What is LoRA?"`,
  );
  output.emit({
    model: model.name,
    pretrained: model.pretrained,
    run: run.path,
    heldOutLoss: { before, after },
    answers,
  });
  return exitCodes.done;
}

function heading(output: Output, text: string): void {
  output.say(`\n${output.bold(text)}`);
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

function showHeldOut(output: Output, { heldOut }: LossCurve): [number, number] {
  const [before, after] = [heldOut[0]!.loss, heldOut.at(-1)!.loss];
  const inWords = (loss: number) => `${loss.toFixed(3)}  (perplexity ${Math.exp(loss).toFixed(1)})`;
  output.say(`  Held-out loss before training  ${inWords(before)}`);
  output.say(`  Held-out loss after training   ${inWords(after)}`);
  output.say(output.faint('  Mean of −log p over the tokens of answers to questions that were not trained on; lower is better.'));
  return [before, after];
}

interface Question {
  readonly instruction: string;
  readonly input: string;
}

/** One question each about the method, training, and this product. */
const shownQuestions = [0, 12, 18];

function heldOutQuestions({ data }: RunConfig): Question[] {
  const lines = readFileSync(data.eval_path!, 'utf8').trim().split('\n');
  return shownQuestions.map((index) => JSON.parse(lines[index]!) as Question);
}

interface Answered extends Question {
  readonly base: string;
  readonly adapter: string;
}

async function compareAnswers(
  { output, signal }: CommandContext,
  { path, name }: DemoModel,
  run: RunDirectory,
  questions: readonly Question[],
): Promise<Answered[]> {
  return withTextModel(output, { model: path, adapter: run.adapterPath, device: 'auto' }, async (model, tokenizer, trained) => {
    const answers: Answered[] = [];
    for (const question of questions) {
      const promptIds = encodePrompt(tokenizer, { text: question.instruction, input: question.input }, 'alpaca');
      const answer = async (adapter: typeof trained) => {
        const request = { promptIds, adapter, adapterStrength: 1, sampling: greedy, maxNewTokens: 80, stop: ['\n\n'] };
        const { text, finishReason } = await writeText(model, tokenizer, request, () => undefined, signal);
        signal.throwIfAborted();
        return finishReason === 'length' ? `${text.trim()} …` : text.trim();
      };
      const answered = { ...question, base: await answer(null), adapter: await answer(trained) };
      answers.push(answered);
      output.say();
      wrapText(`Question: ${question.instruction}`, output.width).forEach((line) => output.say(output.bold(line)));
      output.say(
        sideBySide(
          { title: name, text: answered.base },
          { title: 'with the adapter', text: answered.adapter },
          Math.min(output.width, 120),
        ),
      );
    }
    return answers;
  });
}
