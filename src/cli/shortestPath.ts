import { relative } from 'node:path';

/** The path relative to the current folder, unless the absolute path is shorter. */
export function shortestPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.length < path.length ? fromHere : path;
}
