import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { UserError } from '../core/errors.js';
import { configFromHuggingFace } from '../core/models/registry.js';
import { readJsonFile } from '../files/jsonFile.js';
import { openMetaWeights, paramsFile } from '../files/metaWeights.js';
import { openModel } from '../files/openModel.js';

interface Known {
  /** When and how large the files were. */
  readonly stamp: string;
  readonly problem: string | null;
}

/** Checks from its header whether a model can be used. As long as its files do not change, they are read only once. */
export class ModelHeaders {
  private readonly known = new Map<string, Known>();

  /**
   * Returns null if the model can be used, else why not. `file` is the config.json of a Hugging Face folder, the params.json
   * of one of Meta's, whose check reads its `others` as well, or a file that is a model.
   */
  async problemOf(file: string, others: readonly string[] = []): Promise<string | null> {
    const stamp = await stampOf([file, ...others]);
    if (stamp === null) return null;
    const before = this.known.get(file);
    if (before?.stamp === stamp) return before.problem;
    const problem = readHeader(file);
    this.known.set(file, { stamp, problem });
    return problem;
  }
}

async function stampOf(files: readonly string[]): Promise<string | null> {
  const statuses = await Promise.all(files.map((file) => stat(file).catch(() => null)));
  if (statuses.includes(null)) return null;
  return statuses.map((status) => `${status!.mtimeMs} ${status!.size}`).join();
}

function readHeader(file: string): string | null {
  try {
    if (basename(file) === paramsFile) openMetaWeights(dirname(file)).close();
    else if (basename(file) === 'config.json') configFromHuggingFace(readJsonFile(file), file);
    else openModel(file).weights.close();
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
