/** @file Tells whether files are still what was read from them, without reading them again. */
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { diskFiles } from './dataFiles.js';
import { ggufAt } from './openModel.js';
import { reading } from './reading.js';
import { currentCommit } from './source/gitHistory.js';

/** Changes when a file of the model does, whether it comes or goes. */
export function modelStamp(path: string): string {
  const filesIn = (folder: string) => readdirSync(folder).map((name) => join(folder, name));
  return reading(path, () => {
    const status = statSync(path, { throwIfNoEntry: false });
    if (!status) return '';
    if (status.isDirectory()) return stampOf(filesIn(path));
    const gguf = ggufAt(path);
    return stampOf(gguf === undefined ? filesIn(dirname(path)) : [path, gguf]);
  });
}

/** Changes when a data file does, when files of a folder come or go, or when its history does. Throws UserError if there are none. */
export function dataStamp(path: string): string {
  const place = diskFiles.open(path);
  if (place.kind === 'file') return stampOf([path]);
  const { files, leftOut, skipped } = place;
  return [currentCommit(place.path), JSON.stringify([leftOut, skipped]), stampOf(files.map((file) => file.path))].join('\n');
}

function stampOf(paths: readonly string[]): string {
  const stamps = paths.flatMap((path) => {
    const status = statSync(path, { bigint: true, throwIfNoEntry: false });
    return status?.isFile() ? [[path, status.ino, status.size, status.mtimeNs].join(' ')] : [];
  });
  return stamps.join('\n');
}
