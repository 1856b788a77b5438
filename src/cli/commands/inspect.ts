import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { loraScaling } from '../../core/adapters/lora.js';
import { adapterConfigFile } from '../../core/adapters/peft.js';
import { UserError } from '../../core/errors.js';
import { totalElements } from '../../core/formats/hostTensor.js';
import type { AttentionKind } from '../../core/models/config.js';
import { parameterCount } from '../../core/models/weights.js';
import { recognizeFillInTheMiddle } from '../../core/tokenizer/fillInTheMiddle.js';
import type { Tokenizer } from '../../core/tokenizer/tokenizer.js';
import { readMergeableFolder } from '../../files/adapterFolder.js';
import { modelPath } from '../../files/cacheFolder.js';
import { isWeightFile } from '../../files/huggingFaceWeights.js';
import { hubDataReference } from '../../files/hubData/reference.js';
import { loadModelForData } from '../../files/loadModel.js';
import { isMetaShard } from '../../files/metaWeights.js';
import { ggufAt } from '../../files/openModel.js';
import { modelName } from '../../protocol/modelName.js';
import { lossCurve } from '../../runs/lossCurve.js';
import { readMetrics } from '../../runs/metricsFile.js';
import { RunDirectory } from '../../runs/runDirectory.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import { lossChart } from '../lossChart.js';
import type { Output } from '../output.js';
import type { CommandContext } from '../runCommand.js';
import { trainingMemory, trainingMemoryRows } from '../trainingMemory.js';
import { bytes, integer, large } from '../format.js';
import { inspectRecords, inspectTokens, show } from './inspectData.js';

export interface InspectOptions {
  /** The model whose tokenizer counts the tokens of a data set. */
  readonly model?: string;
  readonly maxSeqLength?: number;
}

export async function inspect({ output }: CommandContext, given: string, options: InspectOptions): Promise<ExitCode> {
  const path = whole(modelPath(given));
  if (!existsSync(path)) {
    if (!hubDataReference(given)) throw new UserError('file-not-found', `There is nothing at ${path}.`);
    await inspectData(output, given, options);
    return exitCodes.done;
  }
  const names = statSync(path).isDirectory() ? readdirSync(path) : [basename(path)];
  if (names.includes('state.json')) inspectRun(output, path);
  else if (names.includes(adapterConfigFile)) inspectAdapter(output, path);
  else if (names.some(isOfModel) || isGgufOfStore(path)) inspectModel(output, path);
  else await inspectData(output, path, options);
  return exitCodes.done;
}

async function inspectData(output: Output, path: string, { model, maxSeqLength }: InspectOptions): Promise<void> {
  if (model) await inspectTokens(output, path, model, maxSeqLength);
  else await inspectRecords(output, path);
}

function isOfModel(name: string): boolean {
  return isWeightFile(name) || isMetaShard(name) || name.endsWith('.gguf');
}

/** Files in other programs' stores have no ending. */
function isGgufOfStore(path: string): boolean {
  return statSync(path).isFile() && extname(path) === '' && ggufAt(path) !== undefined;
}

/** A file inside the folder of a model, adapter or run stands for the whole folder. */
function whole(path: string): string {
  const name = basename(path);
  const isPart = isWeightFile(name) || isMetaShard(name) || ['adapter_config.json', 'state.json'].includes(name);
  return isPart ? dirname(path) : path;
}

function inspectModel(output: Output, path: string): void {
  const { weights, tokenizer, textProblem } = loadModelForData(path);
  const name = modelName(path);
  const { config } = weights;
  const infos = weights.names().map((weight) => weights.info(weight)!);
  weights.close();
  const parameters = parameterCount(weights);
  const sizeBytes = infos.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const storedTypes = [...new Set(infos.map(({ storedType }) => storedType))];
  const fillInTheMiddle = textProblem ? null : fillInTheMiddleFacts(tokenizer);
  const memory = trainingMemory(weights);
  const facts = {
    kind: 'model',
    path,
    name,
    parameters,
    sizeBytes,
    storedTypes,
    config,
    hasChatTemplate: tokenizer.hasChatTemplate,
    fillInTheMiddle,
    tokenizerProblem: textProblem?.message ?? null,
    trainingMemory: memory,
  };
  const { headCount, keyValueHeadCount } = config;
  const sharing =
    keyValueHeadCount === headCount ? 'each with its own keys and values' : `sharing ${keyValueHeadCount} of keys and values`;
  show(output, `${name} is a model of the family ${config.family}.`, facts, [
    ['Parameters', `${large(parameters)}${config.tiedEmbeddings ? ', input and output embeddings shared' : ''}`],
    ['Stored as', `${storedTypes.join(', ')}, ${bytes(sizeBytes)}`],
    ['Layers', `${config.layerCount} of width ${config.hiddenSize}, feed-forward width ${config.intermediateSize}`],
    ['Attention', `${headCount} heads of width ${config.headDim}, ${sharing}`],
    ['Context', `${integer(config.contextLength)} tokens; ${config.attentionKinds.map(attentionInWords).join('; ')}`],
    ['Vocabulary', `${integer(config.vocabSize)} tokens`],
    ...(textProblem === null
      ? ([
          ['Chat template', tokenizer.hasChatTemplate ? 'yes' : 'no'],
          ['Fill in the middle', formatInWords(fillInTheMiddle)],
        ] as const)
      : ([['Tokenizer', textProblem.message]] as const)),
    ...trainingMemoryRows(memory),
  ]);
}

function attentionInWords({ rope, window }: AttentionKind): string {
  const scaling = rope && rope.scaling.type !== 'none' ? `, ${rope.scaling.type} scaling` : '';
  const rotation = rope ? `rope theta ${rope.theta}${scaling}` : 'no rotation';
  return window === null ? rotation : `${rotation} over the last ${integer(window)} tokens`;
}

function fillInTheMiddleFacts(tokenizer: Tokenizer) {
  const format = recognizeFillInTheMiddle(tokenizer);
  return format && { name: format.name, order: format.order, fileHeaders: format.headers !== null };
}

function formatInWords(format: ReturnType<typeof fillInTheMiddleFacts>): string {
  if (!format) return 'not learned; it can only go on from what stands before the cursor';
  const order = format.order === 'PSM' ? 'prefix, suffix, middle' : 'suffix, prefix, middle';
  return `${format.name} (${order}${format.fileHeaders ? '; file headers' : ''})`;
}

function inspectAdapter(output: Output, path: string): void {
  const { lora, baseModel, parameters, isUniform, magnitudes } = readMergeableFolder(path);
  const useDora = magnitudes !== null;
  const count = totalElements(parameters);
  const scale = loraScaling(lora);
  show(
    output,
    `${path} is a ${useDora ? 'DoRA' : 'LoRA'} adapter in PEFT's format.`,
    { kind: 'adapter', path, baseModel, ...lora, useDora, scale, parameters: count, isUniform },
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
      ...(useDora ? ([['Use', 'only merged into its base: DoRA also scales the rows of the weights']] as const) : []),
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
      state.bestEvalLoss === null ? 'not measured' : `${state.bestEvalLoss.toFixed(4)} at best, at step ${state.bestStep}`,
    ],
    ['LoRA', `rank ${config.lora.r}, alpha ${config.lora.alpha}, ${large(state.trainableParameters)} parameters`],
    ['Device', state.device || 'not chosen yet'],
    ['Started', state.startedAt],
    ...(state.message ? ([['Message', state.message]] as const) : []),
  ]);
  if (curve.points.length > 1) output.say(`\n${lossChart(curve, Math.min(output.width, 100), output.colour)}`);
}
