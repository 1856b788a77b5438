import { isAbsolute, relative, sep } from 'node:path';

/** Whether a path is a folder or anywhere inside it. Merely sharing its first letters, as `models-2` does, is not enough. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  // Between two Windows drives there is no relative path, so `relative` returns the path itself.
  return !isAbsolute(way) && way.split(sep)[0] !== '..';
}
