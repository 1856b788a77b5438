import { isAbsolute, relative, sep } from 'node:path';

/** Whether a path is a folder or lies anywhere in it; what merely begins with the same letters, such as `models-2`, does not. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  // Between two drives of Windows there is none, and `relative` answers with the path itself.
  return !isAbsolute(way) && way.split(sep)[0] !== '..';
}
