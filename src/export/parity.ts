/** @file Whether what was exported says the same as base and adapter. */
import { UserError } from '../core/errors.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { sameModel } from '../core/models/sameModel.js';
import { t } from '../l10n/text.js';
import { modelName } from '../protocol/modelName.js';
import type { ExportDType, ExportParity } from '../protocol/export.js';
import { streamedLogits, type LogitsRequest } from '../runtime/streamedLogits.js';
import type { ExportContext, OpenExport } from './exportContext.js';
import { firstParameterDifference, firstWeightDifference } from './firstDifference.js';
import { mergedWeights } from './mergedWeights.js';

/**
 * What rounding to a type usually does to the logits (docs/decisions/0021). A merge with a wrong scaling, or a row out of place,
 * does far more.
 */
const tolerances: { readonly [K in ExportDType]: number } = {
  f32: 1e-4,
  f16: 0.01,
  bf16: 0.05,
  q8_0: 0.05,
  q4_0: 0.5,
  q4_1: 0.5,
};

const longestPrompt = 24;

/** The steps that comparing usually takes: each layer of both models. */
export function parityStepCount({ model }: ExportContext): number {
  return 2 * model.weights.config.layerCount;
}

/**
 * Compares the logits after every token of a few prompts. Throws UserError('export-differs') saying where the difference lies if
 * it is not due to rounding.
 */
export async function checkParity(
  context: ExportContext,
  exported: OpenExport,
  threads: number,
  advance: (steps: number) => Promise<void>,
): Promise<ExportParity> {
  const { model, adapter, strength, dtype } = context;
  const { weights } = model;
  checkContent(context, exported, 'ends');
  const shared = { ids: prompts(model.tokenizer, weights.config), threads, onLayer: () => advance(1) };
  const expected = await streamedLogits({ ...reference(context), ...shared });
  const compare = async (other: Pick<LogitsRequest, 'weights' | 'adapter'>, type: ExportDType): Promise<ExportParity> => {
    const found = await streamedLogits({ ...other, strength: 1, ...shared });
    return { ...compared(found, expected, weights.config.vocabSize), tolerance: tolerances[type] };
  };
  const parity = await compare(exported, dtype);
  if (isClose(parity)) return parity;
  // Some models lose much to rounding. It is the cause if the file holds the merged weights, and these are right without it.
  checkContent(context, exported, 'all');
  const unrounded = await compare({ weights: mergedWeights(weights, adapter, strength), adapter: null }, 'f32');
  const isRounding = dtype !== 'f32' && isClose(unrounded) && Number.isFinite(parity.relativeDifference);
  if (isRounding) return parity;
  throw differs(t`Its logits are off by ${shown(parity.relativeDifference)}, though its weights are right.`);
}

/** What the export must agree with. The engine adds LoRA itself; with DoRA, the weights are merged as they are read. */
function reference({
  model: { weights },
  adapter,
  strength,
}: ExportContext): Pick<LogitsRequest, 'weights' | 'adapter' | 'strength'> {
  if (adapter === null || adapter.magnitudes === null) return { weights, adapter, strength };
  return { weights: mergedWeights(weights, adapter, strength), adapter: null, strength: 1 };
}

function isClose({ relativeDifference, tolerance }: ExportParity): boolean {
  return relativeDifference <= tolerance;
}

/** One prompt of text, if the tokenizer knows text, and ids from all over the vocabulary. */
function prompts(tokenizer: Tokenizer, { contextLength, vocabSize }: ExportContext['model']['weights']['config']): number[][] {
  const length = Math.min(longestPrompt, contextLength);
  const spread = (seed: number): number[] => Array.from({ length }, (_, i) => (seed + i * 7919) % vocabSize);
  const text = textIds(tokenizer).filter((id) => id < vocabSize);
  const repeated = Array.from({ length }, (_, i) => text[i % text.length]!);
  return [text.length > 0 ? repeated : spread(1), spread(2)];
}

function textIds(tokenizer: Tokenizer): number[] {
  try {
    return [...tokenizer.encode('def add(a, b):\n    return a + b\n\nThe sum of 12 and 345 is 今天 357.')];
  } catch (error) {
    if (error instanceof UserError) return []; // a tokenizer that knows only ids
    throw error;
  }
}

/** Both are row-major [positions, vocabSize]. */
function compared(found: Float32Array, expected: Float32Array, vocabSize: number): Omit<ExportParity, 'tolerance'> {
  const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
  let [largest, squares, spread, sameFirst] = [0, 0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(found[i]! - expected[i]!);
    // A comparison with NaN is false, so NaN stays the largest.
    if (!(difference <= largest)) largest = difference;
    squares += difference ** 2;
    spread += (expected[i]! - mean) ** 2;
  }
  const positions = expected.length / vocabSize;
  for (let row = 0; row < positions; row++) {
    const [from, to] = [row * vocabSize, (row + 1) * vocabSize];
    if (indexOfLargest(found.subarray(from, to)) === indexOfLargest(expected.subarray(from, to))) sameFirst++;
  }
  return { maxDifference: largest, relativeDifference: Math.sqrt(squares / spread), sameFirst, positions };
}

function indexOfLargest(values: Float32Array): number {
  let index = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[index]!) index = i;
  return index;
}

/** Throws if the file describes another model or adapter, or holds a value that is not rounded from the right one. */
function checkContent(context: ExportContext, { weights, adapter, isOwn }: OpenExport, rows: 'ends' | 'all'): void {
  if (!sameModel(weights.config, context.model.weights.config)) {
    throw differs(t`Its settings are not those of ${modelName(context.model.path)}.`);
  }
  const difference = isOwn ? firstWeightDifference(context, weights, rows) : firstParameterDifference(context, adapter!);
  if (difference === null) return;
  throw differs(t`The first weight that differs is ${difference.name}, in row ${difference.row}.`);
}

function differs(where: string): UserError {
  const message = t`The export does not say the same as the model it was made from, and was removed. ${where} Nothing else changed; report this with the name of the model.`;
  return new UserError('export-differs', message);
}

function shown(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}
