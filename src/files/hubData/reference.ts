import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isRelativePath, isRepositoryName, type HubRepository } from '../hub/repository.js';

/** A data set of the hub, as it is written where a path could be. */
export interface HubDataReference {
  readonly text: string;
  readonly repository: HubRepository;
  /** What of it is meant: CONFIG, SPLIT, CONFIG/SPLIT, or a file or folder; null for the training data. */
  readonly selection: string | null;
}

const dataFile = /\.(jsonl?|ndjson|csv|tsv|parquet|txt|text|md|markdown|rst)$/i;

/**
 * Reads OWNER/NAME, OWNER/NAME@REVISION or either with :CONFIG/SPLIT. Undefined for what must be a path: something is there
 * in `folder`, or it is called like a data file.
 */
export function hubDataReference(text: string, folder = '.'): HubDataReference | undefined {
  const [, name, revision = 'main', selection = null] = /^([^/@:]+\/[^/@:]+)(?:@([^:]+))?(?::(.+))?$/.exec(text) ?? [];
  if (!name || dataFile.test(name) || !isRepositoryName(name, 'dataset') || !isRelativePath(revision)) return undefined;
  return existsSync(join(folder, text)) ? undefined : { text, repository: { type: 'dataset', name, revision }, selection };
}
