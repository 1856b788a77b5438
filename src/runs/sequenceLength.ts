import { UserError } from '../core/errors.js';
import { checkSequenceLength, type ModelConfig } from '../core/models/config.js';
import { modelPath } from '../files/cacheFolder.js';
import { openModel } from '../files/openModel.js';
import { usualSequenceLength } from '../protocol/runConfigSchema.js';

/** The length where none is asked for: the usual one, or all that the model reads. */
export function usualLengthFor({ contextLength }: Pick<ModelConfig, 'contextLength'>): number {
  return Math.min(usualSequenceLength, contextLength);
}

/** What is asked for, else the usual. Throws UserError('config-invalid') where more is asked for than the model reads. */
export function sequenceLengthFor(config: ModelConfig, asked: number | undefined, setting: string): number {
  const length = asked ?? usualLengthFor(config);
  checkSequenceLength(config, length, setting);
  return length;
}

/** As usualLengthFor, by the header of a model that need not be there. */
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
