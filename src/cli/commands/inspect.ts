import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loraScaling } from '../../core/adapters/lora.js';
import { adapterConfigFile } from '../../core/adapters/peft.js';
import { loadDataset } from '../../core/data/dataset.js';
import { detectFormat, filesOfFormat, isRowFile } from '../../core/data/detectFormat.js';
import { jsonItems } from '../../core/data/jsonItems.js';
import { UserError } from '../../core/errors.js';
import { readAdapterFolder } from '../../files/adapterFolder.js';
import { modelPath } from '../../files/cacheFolder.js';
import { diskFiles } from '../../files/dataFiles.js';
import { openModel } from '../../files/openModel.js';
import { readTokenizer } from '../../files/tokenizerFiles.js';
import { readMetrics } from '../../runs/metricsFile.js';
import { RunDirectory } from '../../runs/runDirectory.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import { loadModel } from '../../complete/loadedModel.js';
import { lossChart, lossCurve } from '../lossChart.js';
import type { Output } from '../output.js';
import type { CommandContext } from '../perform.js';
import { bytes, integer, large, plural, table } from '../words.js';

export interface InspectOptions {
  /** Whose tokens a data set is counted in. */
  readonly model?: string;
  readonly maxSeqLength: number;
}

type Rows = readonly (readonly [string, string])[];

export function inspect({ output }: CommandContext, given: string, options: InspectOptions): Promise<ExitCode> {
  const path = modelPath(given);
  if (!existsSync(path)) throw new UserError('file-not-found', `There is nothing at ${path}.`);
  const isFolder = statSync(path).isDirectory();
  if (isFolder && existsSync(join(path, 'state.json'))) inspectRun(output, path);
  else if (isFolder && existsSync(join(path, adapterConfigFile))) inspectAdapter(output, path);
  else if (path.endsWith('.gguf') || (isFolder && existsSync(join(path, 'config.json')))) inspectModel(output, path);
  else if (options.model) inspectTokens(output, path, options.model, options.maxSeqLength);
  else inspectRecords(output, path);
  return Promise.resolve(exitCodes.done);
}

function show(output: Output, title: string, facts: object, rows: Rows): void {
  output.emit(facts);
  output.say(title);
  output.say(table(rows));
}

function inspectModel(output: Output, path: string): void {
  const { name, weights, tokenizer: source } = openModel(path);
  const { config } = weights;
  const infos = weights.names().map((weight) => weights.info(weight)!);
  weights.close();
  const parameters = infos.reduce((sum, { shape }) => sum + shape.reduce((product, length) => product * length, 1), 0);
  const sizeBytes = infos.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const storedTypes = [...new Set(infos.map(({ storedType }) => storedType))];
  const tokens = readTokenizer(source);
  const facts = {
    kind: 'model',
    path,
    name,
    parameters,
    sizeBytes,
    storedTypes,
    config,
    hasChatTemplate: tokens.hasChatTemplate,
  };
  const { ropeScaling, headCount, keyValueHeadCount } = config;
  const sharing =
    keyValueHeadCount === headCount
      ? 'each with its own keys and values'
      : `sharing ${keyValueHeadCount} of keys and values`;
  show(output, `${name} is a LLaMA model.`, facts, [
    ['Parameters', `${large(parameters)}${config.tiedEmbeddings ? ', input and output embeddings shared' : ''}`],
    ['Stored as', `${storedTypes.join(', ')}, ${bytes(sizeBytes)}`],
    ['Layers', `${config.layerCount} of width ${config.hiddenSize}, feed-forward width ${config.intermediateSize}`],
    ['Attention', `${headCount} heads of width ${config.headDim}, ${sharing}`],
    [
      'Context',
      `${integer(config.contextLength)} tokens, rope theta ${config.ropeTheta}${ropeScaling.type === 'none' ? '' : `, ${ropeScaling.type} scaling`}`,
    ],
    ['Vocabulary', `${integer(config.vocabSize)} tokens`],
    ['Chat template', tokens.hasChatTemplate ? 'yes' : 'no'],
    ['Fill in the middle', tokens.fillInTheMiddle ? 'yes' : 'no'],
  ]);
}

function inspectAdapter(output: Output, path: string): void {
  const { lora, baseModel, parameters, isUniform } = readAdapterFolder(path);
  const count = [...parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
  const scale = loraScaling(lora);
  show(
    output,
    `${path} is a LoRA adapter in PEFT's format.`,
    { kind: 'adapter', path, baseModel, ...lora, scale, parameters: count, isUniform },
    [
      ['Base model', baseModel ?? 'not named'],
      ['Rank', `${lora.r}${isUniform ? '' : ' at most; it differs between linears'}`],
      [
        'Strength',
        `alpha ${lora.alpha}, so the scale is ${Number(scale.toPrecision(4))}${lora.useRslora ? ' (rank-stabilised)' : ''}`,
      ],
      ['Target modules', lora.targetModules.join(', ')],
      ['Layers', lora.layers === null ? 'all' : lora.layers.join(', ')],
      ['Parameters', `${large(count)}, ${bytes(4 * count)}`],
    ],
  );
}

function inspectRun(output: Output, path: string): void {
  const run = RunDirectory.open(path);
  const [config, state] = [run.readConfig(), run.readState()];
  const curve = lossCurve(readMetrics(run.metricsPath));
  const [first, last] = [curve.points[0], curve.points.at(-1)];
  const facts = {
    kind: 'run',
    path: run.path,
    config,
    state,
    firstLoss: first?.loss ?? null,
    lastLoss: last?.loss ?? null,
  };
  show(output, `${path} is a run: ${state.status}.`, facts, [
    ['Model', config.model],
    ['Data', config.data.path],
    ['Steps', `${integer(state.step)} of ${integer(state.totalSteps)}`],
    ['Training loss', first && last ? `${first.loss.toFixed(4)} at first, ${last.loss.toFixed(4)} now` : 'none yet'],
    [
      'Held-out loss',
      state.bestEvalLoss === null
        ? 'not measured'
        : `${state.bestEvalLoss.toFixed(4)} at best, at step ${state.bestStep}`,
    ],
    ['LoRA', `rank ${config.lora.r}, alpha ${config.lora.alpha}, ${large(state.trainableParameters)} parameters`],
    ['Device', state.device || 'not chosen yet'],
    ['Started', state.startedAt],
    ...(state.message ? ([['Message', state.message]] as const) : []),
  ]);
  if (curve.points.length > 1) output.say(`\n${lossChart(curve, Math.min(output.width, 100), output.colour)}`);
}

/** What can be said of a data set without a tokenizer. */
function inspectRecords(output: Output, path: string): void {
  const place = diskFiles.open(path);
  const format = detectFormat(place);
  const files = filesOfFormat(place, format);
  const sizeBytes = files.reduce((sum, { size }) => sum + size, 0);
  const items = files.filter(isRowFile).flatMap((file) => [...jsonItems(file)].map((item) => ({ file, item })));
  const broken = items.flatMap(({ file, item }) =>
    'problem' in item ? [{ origin: `${file.path}:${item.line}`, reason: item.problem }] : [],
  );
  const records = items.length - broken.length;
  show(
    output,
    `${path} is a data set.`,
    { kind: 'data', path, format, files: files.length, sizeBytes, records, broken },
    [
      ['Format', format],
      ['Size', `${plural(files.length, 'file')}, ${bytes(sizeBytes)}`],
      ...(items.length > 0 ? ([['Records', integer(records)]] as const) : []),
      ...broken.slice(0, 10).map(({ origin, reason }) => ['Broken', `${origin}: ${reason}`] as const),
    ],
  );
  output.say(output.faint('  With --model it is counted in tokens, and every record is checked.'));
}

function inspectTokens(output: Output, path: string, modelName: string, maxSeqLength: number): void {
  const { name, weights, tokens } = loadModel(modelName);
  weights.close();
  const config = {
    path,
    format: 'auto',
    eval_path: null,
    eval_fraction: 0,
    max_seq_length: maxSeqLength,
    train_on_prompt: false,
    seed: 0,
  } as const;
  const { report } = loadDataset(config, tokens, diskFiles, { vocabSize: weights.config.vocabSize });
  const { training, format, skipped, skippedCount } = report;
  show(
    output,
    `${path} is a data set, counted in tokens of ${name}.`,
    { kind: 'data', path, format, ...training, skipped, skippedCount },
    [
      ['Format', format],
      ['Examples', integer(training.examples)],
      ['Tokens', `${integer(training.tokens)}, of which the loss counts ${integer(training.labelTokens)}`],
      [
        'Lengths',
        `${training.shortestLength} to ${training.longestLength}, ${training.medianLength} in the middle; 95 % are no longer than ${training.length95}`,
      ],
      ['Cut off', `${integer(training.truncated)} longer than ${integer(maxSeqLength)}`],
      ['Skipped', integer(skippedCount)],
      ...skipped.slice(0, 10).map(({ origin, reason }) => ['', `${origin}: ${reason}`] as const),
    ],
  );
}
