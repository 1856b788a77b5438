/**
 * @file Embeddings and loss, one slice of the vocabulary at a time. Neither a whole table nor all logits of a row are ever needed
 * at once, so memory and the largest tensor do not grow with the vocabulary.
 *
 * Symbols in the shape comments: N tokens of a batch, C rows of a chunk, V vocabSize, S rows of a slice, H hiddenSize.
 */
import { backward } from '../graph/autodiff.js';
import { GraphBuilder } from '../graph/builder.js';
import { makeProgram } from '../graph/program.js';
import type { DeviceKind, Program, Value } from '../graph/types.js';
import type { ModelConfig } from '../models/config.js';
import { frozenMean, frozenProduct, frozenRows, type MatrixForm } from '../models/frozenMatrix.js';
import { smoothingName } from '../models/linears.js';

type Sizes = Pick<ModelConfig, 'vocabSize' | 'hiddenSize' | 'embeddingScale'>;

/** The program input for frozenProduct. */
export const headSmoothing = smoothingName('head_input');

/** 64 MiB, half of what every GPU can bind: rounding up to whole lines may make a slice a few rows longer. */
const maxSliceElements = 2 ** 24;

/**
 * The slices of the vocabulary's tables. All have the same length except the last: an odd number of 64-byte lines, because rows
 * of logits that lie a power of two apart compete for the same places in a cache (docs/decisions/0008).
 */
export function vocabularySlices(
  { vocabSize, hiddenSize }: Sizes,
  device: DeviceKind,
): { readonly firstRow: number; readonly rows: number }[] {
  const count = Math.ceil(vocabSize / maxSliceRows[device](hiddenSize));
  const lines = Math.ceil(vocabSize / count / 16);
  const rows = 16 * (lines % 2 === 0 ? lines + 1 : lines);
  const starts = Array.from({ length: Math.ceil(vocabSize / rows) }, (_, i) => i * rows);
  return starts.map((firstRow) => ({ firstRow, rows: Math.min(rows, vocabSize - firstRow) }));
}

/**
 * For a chunk of 512 rows this gives 6 MiB of logits on the CPU, and about 16 MiB on a GPU, where starting an operation is slow.
 * On a GPU a slice stays just below a power of two, even after rounding up to whole lines: above one, its buffer might be half as
 * large again, or twice as large (bufferBytes.ts).
 */
const maxSliceRows: Readonly<Record<DeviceKind, (hiddenSize: number) => number>> = {
  cpu: (hiddenSize) => Math.min(3072, Math.floor(maxSliceElements / hiddenSize)),
  webgpu: (hiddenSize) => Math.floor(Math.min(maxSliceElements, 2 ** Math.round(Math.log2(8192 * hiddenSize))) / hiddenSize) - 32,
};

/**
 * input_ids [N] int32, first_row [] int32, embed_tokens.weight [S, H] and x so far → x [N, H] including the rows of this slice.
 */
export function embedProgram(
  { hiddenSize, embeddingScale = 1 }: Sizes,
  tokens: number,
  sliceRows: number,
  form: MatrixForm,
): Program {
  const b = new GraphBuilder();
  const slice: TableSlice = { name: 'embed_tokens.weight', shape: [sliceRows, hiddenSize], form };
  const ids = idsInSlice(b, slice, b.input('input_ids', [tokens], 'int32'), b.input('first_row', [], 'int32'));
  const rows = rowsOfSlice(b, slice, ids);
  return makeProgram('embed', { x: b.add(b.input('x_before', [tokens, hiddenSize]), b.scale(rows, embeddingScale)) });
}

/** x [N, H], rows [C] int32 → normed [C, H] and the initial log_sum_exp [C, 1], which covers no slice yet. */
export function headRowsProgram(config: ModelConfig, tokens: number, chunk: number): Program {
  const b = new GraphBuilder();
  const { normed } = normedRows(b, config, tokens, chunk);
  return makeProgram('head-rows', { normed, log_sum_exp: b.broadcastTo(b.scalar(-1e30), [chunk, 1]) });
}

/** normed [C, H] and lm_head.weight [S, H] → logits [C, S]. */
export function headLogitsProgram({ hiddenSize }: Sizes, chunk: number, sliceRows: number, form: MatrixForm): Program {
  const b = new GraphBuilder();
  const normed = b.input('normed', [chunk, hiddenSize]);
  const logits = frozenProduct(b, 'lm_head.weight', [sliceRows, hiddenSize], normed, form, headSmoothing);
  return makeProgram('head-logits', { logits });
}

/**
 * One step of an online softmax (https://arxiv.org/abs/1805.02867) that also carries the gradient of the logits along, as in
 * https://arxiv.org/abs/2205.14135. normed [C, H], labels [C] int32, first_row [] int32, lm_head.weight [S, H] and the state so
 * far → the state including this slice: log_sum_exp [C, 1] of the logits, label_logits [C, 1], and with `withGradient`
 * label_rows [C, H] = the weights of the labels, and expected [C, H] = Σ p · weight, where the probabilities p over the slices seen
 * so far add up to 1.
 */
export function headSliceProgram(
  { hiddenSize }: Sizes,
  chunk: number,
  sliceRows: number,
  form: MatrixForm,
  withGradient: boolean,
): Program {
  const b = new GraphBuilder();
  const slice: TableSlice = { name: 'lm_head.weight', shape: [sliceRows, hiddenSize], form };
  const before = (name: string, width: number): Value => b.input(`${name}_before`, [chunk, width]);

  const normed = b.input('normed', [chunk, hiddenSize]);
  const logits = frozenProduct(b, slice.name, slice.shape, normed, form, headSmoothing); // [C, S]
  const expectedOfSlice = frozenMean(b, slice.name, slice.shape, b.softmax(logits), form); // [C, H]
  const [ofSlice, ofOthers] = [b.logSumExp(logits), before('log_sum_exp', 1)];
  const share = b.sigmoid(b.subtract(ofSlice, ofOthers)); // the slice's share of Σ exp, [C, 1]
  const rest = b.subtract(b.scalar(1), share);
  const isLarger = b.lessOrEqual(ofOthers, ofSlice);
  const logSumExp = b.subtract(b.where(isLarger, ofSlice, ofOthers), b.log(b.where(isLarger, share, rest))); // log of at least ½

  const labels = idsInSlice(b, slice, b.input('labels', [chunk], 'int32'), b.input('first_row', [], 'int32'));
  const labelLogits = b.multiply(elementsOfRows(b, logits, labels.local), labels.counts);
  const gradient = (): Record<string, Value> => ({
    expected: b.add(b.multiply(before('expected', hiddenSize), rest), b.multiply(expectedOfSlice, share)),
    label_rows: b.add(before('label_rows', hiddenSize), rowsOfSlice(b, slice, labels)),
  });
  return makeProgram('head-slice', {
    ...(withGradient && gradient()),
    log_sum_exp: logSumExp,
    label_logits: b.add(before('label_logits', 1), labelLogits),
  });
}

/**
 * The state after all slices, x [N, H], rows [C] int32, counted [C, 1] (0 for padding of the chunk) and the sums so far →
 * loss_sum [1, 1] and, with `withGradient`, dx [N, H]. With p = softmax(logits): d loss/d normed = Σ p · weight − the label's
 * weight.
 */
export function headLossProgram(config: ModelConfig, tokens: number, chunk: number, withGradient: boolean): Program {
  const b = new GraphBuilder();
  const { x, normed } = normedRows(b, config, tokens, chunk);
  const counted = b.input('counted', [chunk, 1]);

  const logProbabilities = b.subtract(b.input('label_logits', [chunk, 1]), b.input('log_sum_exp', [chunk, 1]));
  const losses = b.negate(b.multiply(logProbabilities, counted));
  const outputs: Record<string, Value> = { loss_sum: b.add(b.input('loss_sum_before', [1, 1]), b.reduceSum(losses, [0])) };
  if (withGradient) {
    const [expected, labelRows] = [b.input('expected', normed.shape), b.input('label_rows', normed.shape)];
    const dNormed = b.multiply(b.subtract(expected, labelRows), counted);
    const [dx] = backward(b, new Map([[normed, dNormed]]), [x]);
    outputs['dx'] = b.add(b.input('dx_before', x.shape), dx!);
  }
  return makeProgram('head-loss', outputs);
}

function normedRows(b: GraphBuilder, config: ModelConfig, tokens: number, chunk: number): { x: Value; normed: Value } {
  const x = b.input('x', [tokens, config.hiddenSize]);
  const rows = b.gatherRows(x, b.input('rows', [chunk], 'int32')); // [C, H]
  return { x, normed: b.rmsNorm(rows, b.input('norm.weight', [config.hiddenSize]), config.rmsNormEpsilon) };
}

/** Some rows of the table, a program input with this name. */
interface TableSlice {
  readonly name: string;
  readonly shape: readonly [rows: number, columns: number];
  readonly form: MatrixForm;
}

/** Ids [n] from the start of a slice; ids outside count as row 0. */
interface LocalIds {
  readonly local: Value;
  /** 1 for ids in the slice, 0 for the others, [n, 1]. */
  readonly counts: Value;
}

function idsInSlice(b: GraphBuilder, { shape: [rows] }: TableSlice, ids: Value, firstRow: Value): LocalIds {
  const local = b.subtract(ids, firstRow);
  const zero = b.scalar(0, 'int32');
  const inside = (yes: Value, no: Value): Value =>
    b.where(b.lessOrEqual(zero, local), b.where(b.lessOrEqual(local, b.scalar(rows - 1, 'int32')), yes, no), no);
  return { local: inside(local, zero), counts: b.reshape(inside(b.scalar(1), b.scalar(0)), [ids.shape[0]!, 1]) };
}

/** The rows [n, H] for the ids that lie in the slice, and zeros for the others. */
function rowsOfSlice(b: GraphBuilder, { name, shape, form }: TableSlice, { local, counts }: LocalIds): Value {
  return b.multiply(frozenRows(b, name, shape, form, local), counts);
}

/** x [n, columns] → in each row the element in the given column, [n, 1]. */
function elementsOfRows(b: GraphBuilder, x: Value, columns: Value): Value {
  const [rows, width] = x.shape as [number, number];
  const starts = b.constant(
    Array.from({ length: rows }, (_, row) => row * width),
    [rows],
    'int32',
  );
  return b.gatherRows(b.reshape(x, [rows * width, 1]), b.add(columns, starts));
}
