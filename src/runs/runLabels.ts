/** @file labels.json: the user's name, tags and note for a run. The trainer neither reads nor writes it. */
import { join } from 'node:path';
import { writeFileAtomically } from '../files/atomicWrite.js';
import { readJsonFile } from '../files/jsonFile.js';
import { noLabels, type RunLabels } from '../protocol/run.js';
import { isRecord } from '../protocol/guard.js';

export function labelsPath(runFolder: string): string {
  return join(runFolder, 'labels.json');
}

/** Missing or invalid fields count as not set. */
export function readLabels(runFolder: string): RunLabels {
  const json = readIfThere(labelsPath(runFolder));
  if (!isRecord(json)) return noLabels;
  const { name, tags, note } = json;
  return {
    name: typeof name === 'string' && name.trim() !== '' ? name : null,
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [],
    note: typeof note === 'string' ? note : '',
  };
}

export function writeLabels(runFolder: string, labels: RunLabels): void {
  writeFileAtomically(labelsPath(runFolder), `${JSON.stringify(labels, null, 2)}\n`);
}

function readIfThere(path: string): unknown {
  try {
    return readJsonFile(path);
  } catch {
    return undefined;
  }
}
