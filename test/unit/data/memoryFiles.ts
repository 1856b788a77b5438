import { textFile, type DataFiles, type DataPlace } from '../../../src/core/data/source.js';

/** Files by path; a path that ends in / is the folder of all files that begin with it. */
export function memoryFiles(contents: Readonly<Record<string, string>>): DataFiles {
  return {
    open(path): DataPlace {
      if (!path.endsWith('/')) return { kind: 'file', file: textFile(path, contents[path]!) };
      const inside = Object.keys(contents).filter((name) => name.startsWith(path));
      const files = inside.map((name) => textFile(name, contents[name]!));
      return { kind: 'folder', path, files, leftOut: [], skipped: [] };
    },
  };
}
