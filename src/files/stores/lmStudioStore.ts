/** @file Models that LM Studio downloaded: PUBLISHER/REPOSITORY/*.gguf (https://lmstudio.ai/docs/app/basics/import-model). */
import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isGguf } from '../hub/modelFiles.js';
import { isRelativePath } from '../hub/repository.js';
import { namesIn } from './folderNames.js';
import type { StoredModel } from './storedModel.js';

export function lmStudioModels(): StoredModel[] {
  return storeFolders().flatMap((root) =>
    namesIn(root).flatMap((publisher) =>
      namesIn(join(root, publisher)).flatMap((repository) => modelsIn(join(root, publisher, repository))),
    ),
  );
}

/** The path of PUBLISHER/REPOSITORY, if that is one model, or of PUBLISHER/REPOSITORY/FILE.gguf. */
export function lmStudioModelPath(given: string): string | undefined {
  const parts = given.split('/');
  if (!isRelativePath(given) || parts.length < 2) return undefined;
  const found = storeFolders().flatMap((root) => {
    const path = join(root, ...parts);
    return isGguf(path) ? [path].filter((file) => existsSync(file)) : modelsIn(path).map((model) => model.path);
  });
  return found.length === 1 ? found[0] : undefined;
}

function modelsIn(folder: string): StoredModel[] {
  return namesIn(folder)
    .filter((name) => isGguf(name) && !/mmproj/i.test(name))
    .map((file) => {
      const path = join(folder, file);
      return { path, name: file.replace(/\.gguf$/i, ''), kind: 'gguf', store: 'lmstudio', sizeBytes: statSync(path).size };
    });
}

/** The present one, and that of older versions. */
function storeFolders(): string[] {
  return [join(homedir(), '.lmstudio', 'models'), join(homedir(), '.cache', 'lm-studio', 'models')];
}
