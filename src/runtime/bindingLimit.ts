import { UserError } from '../core/errors.js';
import { GraphBuilder } from '../core/graph/builder.js';
import { makeProgram, valuesOf } from '../core/graph/program.js';
import { tensorBytes, type Program, type Value } from '../core/graph/types.js';
import { t } from '../l10n/text.js';

const mebibyte = 2 ** 20;

/** The tensor size that every WebGPU device supports (maxStorageBufferBindingSize, https://www.w3.org/TR/webgpu/#limits). */
export const guaranteedBytes = 128 * mebibyte;

const rowLength = 1024;

/**
 * The largest tensor that a device supports. For larger ones, some operations of ONNX Runtime 1.30 silently compute only the
 * first part, so no program may contain one. The limit cannot be queried: sizes above the guaranteed one are tried when a program
 * first needs them.
 */
export class BindingLimit {
  private reached = guaranteedBytes;
  private refused = Infinity;

  /** `evaluate` runs a program on zeros, unchecked, and returns its only result, a scalar. */
  constructor(private readonly evaluate: (program: Program) => Promise<number>) {}

  /** Throws UserError('device-failed') for a program that reads, computes or returns a larger tensor. */
  async check(program: Program): Promise<void> {
    for (const value of valuesOf(program)) {
      if (!(await this.allows(tensorBytes(value)))) throw tooLarge(program, value, this.reached);
    }
  }

  private async allows(bytes: number): Promise<boolean> {
    if (bytes > this.reached && bytes < this.refused) {
      if (await this.isComputedWhole(bytes)) this.reached = bytes;
      else this.refused = bytes;
    }
    return bytes <= this.reached;
  }

  private async isComputedWhole(bytes: number): Promise<boolean> {
    try {
      return Math.abs((await this.evaluate(lastRowProgram(bytes))) - 1) < 1e-3;
    } catch (error) {
      if (error instanceof UserError) return false; // not enough memory
      throw error;
    }
  }
}

/** The sum of the last row of a softmax of this many bytes: 1, or 0 if the device did not reach that row. */
export function lastRowProgram(bytes: number): Program {
  const b = new GraphBuilder();
  const rows = Math.ceil(bytes / 4 / rowLength);
  const softmax = b.softmax(b.broadcastTo(b.input('row', [1, rowLength]), [rows, rowLength]));
  return makeProgram('last-row', { sum: b.sumLast(b.slice(softmax, 0, rows - 1, rows)) });
}

function tooLarge(program: Program, value: Value, limit: number): UserError {
  const size = (bytes: number): string => `${Math.ceil(bytes / mebibyte)} MiB`;
  const what = `[${value.shape.join(' × ')}] ${value.scope || program.name}`;
  return new UserError(
    'device-failed',
    t`The GPU reaches tensors of at most ${size(limit)}, but one of ${size(tensorBytes(value))} is needed (${what}). ${advice(value)}`,
  );
}

/** Which of the model, the context and the batch determines the size. */
function advice(value: Value): string {
  if (isMadeOf(value, partsOfWeights)) return t`This model has weights too large for it: set the device to "cpu".`;
  if (isMadeOf(value, cachesOfTokens)) return t`Shorten the prompt, or set the device to "cpu".`;
  return t`Lower train.batch_size or data.max_seq_length (raise train.gradient_accumulation_steps to make up for it), or set engine.device to "cpu".`;
}

/** Names of inputs in training and generation. */
const partsOfWeights = /\.(weight|bias|codes|scales|offsets)|^block_sums\./;
const cachesOfTokens = /^past$/;

/** Whether a value depends only on such inputs and constants. */
function isMadeOf(value: Value, inputs: RegExp): boolean {
  const names = [...makeProgram('origin', { value }).inputs.keys()];
  return names.length > 0 && names.every((name) => inputs.test(name));
}
