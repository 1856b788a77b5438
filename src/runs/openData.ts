import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { trainingData, type Dataset } from '../core/data/dataset.js';
import { sizeOf, tokenByToken, tokensShown, type FittedExample } from '../core/data/report.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { loadModelForData } from '../files/loadModel.js';
import type { DataOverview, ExamplePage, ExampleQuery } from '../protocol/preflight.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { batchOptions, readDataset, type ReadingPorts } from './runData.js';

/** Examples searched before yielding to the event loop. */
const atOnce = 200;

/** A data set read with its model's tokenizer, for users to browse; no weights are read. */
export class OpenData {
  private constructor(
    private readonly config: RunConfig,
    private readonly tokenizer: Tokenizer,
    private readonly dataset: Dataset,
  ) {}

  /** Throws UserError for data that cannot be trained on. */
  static async read(config: RunConfig, ports: ReadingPorts = {}): Promise<OpenData> {
    const model = loadModelForData(config.model);
    try {
      const { dataset } = await readDataset(model, config, ports);
      return new OpenData(config, model.tokenizer, dataset);
    } finally {
      model.weights.close();
    }
  }

  overview(): DataOverview {
    const { training, evaluation, format, files, fileCount, languages, folders, heldOutBy, leftOut, skipped, skippedCount } =
      this.dataset.report;
    const oneByOne = { ...this.config, train: { ...this.config.train, batch_size: 1 } };
    return {
      format,
      ...sizeOf(this.dataset.report),
      truncated: training.truncated + (evaluation?.truncated ?? 0),
      heldOut: evaluation?.examples ?? 0,
      files,
      fileCount,
      languages,
      folders,
      heldOutBy,
      leftOut,
      skipped,
      skippedCount,
      rows: trainingData(this.dataset, batchOptions(oneByOne, this.tokenizer)).epoch(0).count,
    };
  }

  /** The examples whose text or path contains the query, training first. Aborting `signal` cuts the search short. */
  async examples({ text, offset, limit }: ExampleQuery, signal: AbortSignal): Promise<ExamplePage> {
    const { training, evaluation } = this.dataset;
    const all = [
      ...training.map((example) => ({ example, heldOut: false })),
      ...evaluation.map((example) => ({ example, heldOut: true })),
    ];
    const found = text === '' ? all : await this.search(all, text.toLowerCase(), signal);
    const shown = found.slice(offset, offset + limit);
    const examples = shown.map(({ example, heldOut }) => ({ ...tokenByToken(example, this.tokenizer, tokensShown), heldOut }));
    return { text, offset, total: found.length, examples };
  }

  private async search<Entry extends { example: FittedExample }>(
    all: readonly Entry[],
    text: string,
    signal: AbortSignal,
  ): Promise<Entry[]> {
    const found: Entry[] = [];
    for (const [index, entry] of all.entries()) {
      if (index % atOnce === 0) await eventLoopTurn();
      if (signal.aborted) break;
      const { origin, inputIds } = entry.example;
      if (origin.toLowerCase().includes(text) || this.tokenizer.decode(inputIds).toLowerCase().includes(text)) found.push(entry);
    }
    return found;
  }
}
