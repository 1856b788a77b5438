import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { UserError } from '../core/errors.js';
import { configFromHuggingFace } from '../core/models/registry.js';
import { readJsonFile } from '../files/jsonFile.js';
import { openModel } from '../files/openModel.js';

interface Known {
  readonly modified: number;
  readonly size: number;
  readonly problem: string | null;
}

/** Checks from its header whether a model can be used. An unchanged file is read only once. */
export class ModelHeaders {
  private readonly known = new Map<string, Known>();

  /** Returns null if the model can be used, else why not. `file` is the config.json of a Hugging Face folder, or a file that is a model. */
  async problemOf(file: string): Promise<string | null> {
    const status = await stat(file).catch(() => undefined);
    if (!status) return null;
    const { mtimeMs: modified, size } = status;
    const before = this.known.get(file);
    if (before?.modified === modified && before.size === size) return before.problem;
    const problem = readHeader(file);
    this.known.set(file, { modified, size, problem });
    return problem;
  }
}

function readHeader(file: string): string | null {
  try {
    if (basename(file) === 'config.json') configFromHuggingFace(readJsonFile(file), file);
    else openModel(file).weights.close();
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
