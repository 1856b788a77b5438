import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { UserError } from '../core/errors.js';
import { configFromHuggingFace } from '../core/models/registry.js';
import { openGgufWeights } from '../files/ggufWeights.js';
import { readJsonFile } from '../files/jsonFile.js';
import { openMetaWeights, paramsFile } from '../files/metaWeights.js';

interface Known {
  readonly modified: number;
  readonly size: number;
  readonly problem: string | null;
}

/** Checks from its header whether a model can be used. An unchanged file is read only once. */
export class ModelHeaders {
  private readonly known = new Map<string, Known>();

  /** Returns null if the model can be used, else why not. `file` is a .gguf, the config.json of a Hugging Face folder or the params.json of one of Meta's. */
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
    if (file.endsWith('.gguf')) openGgufWeights(file).weights.close();
    else if (basename(file) === paramsFile) openMetaWeights(dirname(file)).close();
    else configFromHuggingFace(readJsonFile(file), file);
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
