import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { FormatName } from '../../core/data/detectFormat.js';
import type { DataReport } from '../../core/data/report.js';
import { meanLoss } from '../../core/train/loop.js';
import type { DeviceSetting } from '../../runtime/chooseDevice.js';
import { disposeQuietly } from '../../runtime/disposal.js';
import { createEvaluator } from '../../runtime/engine.js';
import { readAdapterFor } from '../../files/adapterFolder.js';
import { evaluationEngine, readEvaluationData } from '../../runs/evaluationData.js';
import { sequenceLengthFor } from '../../runs/sequenceLength.js';
import { fetchDataView } from '../fetchDataView.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import { loadModelForData } from '../../files/loadModel.js';
import type { Output } from '../output.js';
import type { CommandContext } from '../runCommand.js';
import { integer, table } from '../format.js';

export interface EvaluateOptions {
  readonly model: string;
  readonly adapter?: string;
  readonly data: string;
  readonly format: FormatName | 'auto';
  readonly maxSeqLength?: number;
  readonly batchSize: number;
  readonly trainOnPrompt?: boolean;
  readonly device: DeviceSetting;
  readonly threads?: number;
}

export async function evaluate(context: CommandContext, options: EvaluateOptions): Promise<ExitCode> {
  const { output, signal } = context;
  await fetchDataView(context, [options.data]);
  const model = loadModelForData(options.model);
  const { weights } = model;
  const sequenceLength = sequenceLengthFor(weights.config, options.maxSeqLength, '--max-seq-length');
  const { batches, report } = readEvaluationData(model, {
    path: options.data,
    format: options.format,
    max_seq_length: sequenceLength,
    train_on_prompt: Boolean(options.trainOnPrompt),
    batchSize: options.batchSize,
  });
  const evaluator = await createEvaluator({
    weights,
    adapter: options.adapter === undefined ? null : readAdapterFor(weights.config, options.adapter),
    engine: evaluationEngine(options.device, options.threads ?? null),
    batch: { batchSize: options.batchSize, sequenceLength },
    note: (text) => output.say(text),
  });
  try {
    const loss = await meanLoss(evaluator, batches, async () => {
      await eventLoopTurn();
      signal.throwIfAborted();
    });
    showResult(output, loss, report, evaluator.description);
    return exitCodes.done;
  } finally {
    await disposeQuietly(evaluator);
    weights.close();
  }
}

function showResult(output: Output, loss: number, report: DataReport, engine: string): void {
  const { training, skipped, skippedCount, format } = report;
  const perplexity = Math.exp(loss);
  output.emit({ loss, perplexity, ...training, format, skipped: skippedCount, engine });
  const counted = `${integer(training.labelTokens)} counted of ${integer(training.tokens)}`;
  const [first] = skipped;
  output.say(
    table([
      ['Loss', loss.toFixed(4)],
      ['Perplexity', perplexity.toFixed(3)],
      ['Tokens', `${counted}, in ${integer(training.examples)} examples`],
      ...(first ? ([['Skipped', `${integer(skippedCount)} records; the first: ${first.origin}: ${first.reason}`]] as const) : []),
      ['Computed on', engine],
    ]),
  );
}
