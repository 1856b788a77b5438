import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { loadDataset, trainingData } from '../../core/data/dataset.js';
import type { FormatName } from '../../core/data/detectFormat.js';
import type { DataReport } from '../../core/data/report.js';
import { meanLoss } from '../../core/train/loop.js';
import type { DeviceSetting } from '../../runtime/chooseDevice.js';
import { disposeQuietly } from '../../runtime/disposal.js';
import { createEvaluator } from '../../runtime/engine.js';
import { readAdapterFor } from '../../files/adapterFolder.js';
import { diskFiles } from '../../files/dataFiles.js';
import { sequenceLengthFor } from '../../runs/sequenceLength.js';
import { fetchDataView } from '../fetchDataView.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import { loadModelForData, type LoadedModel } from '../../files/loadModel.js';
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
  const { batches, report } = readData(model, options, sequenceLength);
  const evaluator = await createEvaluator({
    weights,
    adapter: options.adapter === undefined ? null : readAdapterFor(weights.config, options.adapter),
    // Measures the model as it is stored, never a rounded one (docs/decisions/0005).
    engine: {
      device: options.device,
      base_dtype: 'fp32',
      threads: options.threads ?? null,
      gradient_checkpointing: 'on',
      layer_streaming: 'auto',
      memory_check: 'warn',
    },
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

/** Reads every example of the data, in file order. */
function readData({ weights, tokenizer }: LoadedModel, options: EvaluateOptions, maxSequenceLength: number) {
  const { training, report } = loadDataset(
    {
      path: options.data,
      format: options.format,
      eval_path: null,
      eval_fraction: 0,
      max_seq_length: maxSequenceLength,
      train_on_prompt: Boolean(options.trainOnPrompt),
      seed: 0,
    },
    tokenizer,
    diskFiles,
    { vocabSize: weights.config.vocabSize },
  );
  const { evaluation } = trainingData(
    { training: [], evaluation: training },
    {
      batchSize: options.batchSize,
      maxSequenceLength,
      packing: false,
      shuffle: false,
      seed: 0,
      padId: tokenizer.padId,
    },
  );
  return { batches: evaluation!, report };
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
