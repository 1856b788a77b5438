import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { loadDataset, trainingData } from '../../core/data/dataset.js';
import type { FormatName } from '../../core/data/detectFormat.js';
import { meanLoss } from '../../core/train/loop.js';
import type { DeviceSetting } from '../../runtime/chooseDevice.js';
import { disposeQuietly } from '../../runtime/disposal.js';
import { createEvaluator } from '../../runtime/engine.js';
import { readAdapterFor } from '../../files/adapterFolder.js';
import { diskFiles } from '../../files/dataFiles.js';
import { sequenceLengthFor } from '../../runs/sequenceLength.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import { loadModelForData } from '../../files/loadModel.js';
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

export async function evaluate({ output, signal }: CommandContext, options: EvaluateOptions): Promise<ExitCode> {
  const { weights, tokenizer } = loadModelForData(options.model);
  const maxSequenceLength = sequenceLengthFor(weights.config, options.maxSeqLength, '--max-seq-length');
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
  const batches = trainingData(
    { training: [], evaluation: training },
    {
      batchSize: options.batchSize,
      maxSequenceLength,
      packing: false,
      shuffle: false,
      seed: 0,
      padId: tokenizer.padId,
    },
  ).evaluation!;
  const adapter = options.adapter === undefined ? null : readAdapterFor(weights.config, options.adapter);
  const evaluator = await createEvaluator({
    weights,
    adapter,
    // What is measured is the model as it is stored, never a rounded one (docs/decisions/0005).
    engine: {
      device: options.device,
      base_dtype: 'fp32',
      threads: options.threads ?? null,
      gradient_checkpointing: 'on',
      layer_streaming: 'auto',
      memory_check: 'warn',
    },
    batch: { batchSize: options.batchSize, sequenceLength: maxSequenceLength },
    note: (text) => output.say(text),
  });
  try {
    const loss = await meanLoss(evaluator, batches, async () => {
      await eventLoopTurn();
      signal.throwIfAborted();
    });
    const perplexity = Math.exp(loss);
    output.emit({
      loss,
      perplexity,
      ...report.training,
      format: report.format,
      skipped: report.skippedCount,
      engine: evaluator.description,
    });
    output.say(
      table([
        ['Loss', loss.toFixed(4)],
        ['Perplexity', perplexity.toFixed(3)],
        [
          'Tokens',
          `${integer(report.training.labelTokens)} counted of ${integer(report.training.tokens)}, in ${integer(report.training.examples)} examples`,
        ],
        ...(report.skippedCount > 0
          ? ([
              [
                'Skipped',
                `${integer(report.skippedCount)} records; the first: ${report.skipped[0]!.origin}: ${report.skipped[0]!.reason}`,
              ],
            ] as const)
          : []),
        ['Computed on', evaluator.description],
      ]),
    );
    return exitCodes.done;
  } finally {
    await disposeQuietly(evaluator);
    weights.close();
  }
}
