import { existsSync } from 'node:fs';
import { UserError } from '../core/errors.js';
import { readMergeableFolder } from '../files/adapterFolder.js';
import { modelPath } from '../files/cacheFolder.js';

/** The model that an adapter was trained on. Throws UserError if it is not named, or not there. */
export function baseOf(adapter: string): string {
  const { baseModel } = readMergeableFolder(adapter);
  if (baseModel !== null && existsSync(modelPath(baseModel))) return baseModel;
  const message =
    baseModel === null
      ? `${adapter} does not say which model it was trained on. Name it with --model.`
      : `${adapter} was trained on ${baseModel}, which is not there. Say where it is with --model.`;
  throw new UserError('file-not-found', message);
}
