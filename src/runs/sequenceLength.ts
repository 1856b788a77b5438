import { UserError } from '../core/errors.js';
import { checkSequenceLength, type ModelConfig } from '../core/models/config.js';
import { modelPath } from '../files/cacheFolder.js';
import { openModel } from '../files/openModel.js';
import { usualSequenceLength } from '../protocol/runConfigSchema.js';

/** The length if none is requested: the usual one, or the model's context length if that is shorter. */
export function usualLengthFor({ contextLength }: Pick<ModelConfig, 'contextLength'>): number {
  return Math.min(usualSequenceLength, contextLength);
}

/** The requested length, else the usual one. Throws UserError('config-invalid') if it exceeds the model's context length. */
export function sequenceLengthFor(config: ModelConfig, asked: number | undefined, setting: string): number {
  const length = asked ?? usualLengthFor(config);
  checkSequenceLength(config, length, setting);
  return length;
}

/** Like usualLengthFor, from the header of a model that may be missing. */
export function usualLengthOf(model: string): number {
  try {
    const { weights } = openModel(modelPath(model));
    weights.close();
    return usualLengthFor(weights.config);
  } catch (error) {
    if (error instanceof UserError) return usualSequenceLength;
    throw error;
  }
}
