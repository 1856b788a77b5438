/** @file workspace.json: which files of a folder of source code a run learned from, and which it has never seen. */
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { writeFileAtomically } from '../files/atomicWrite.js';
import { readJsonFile } from '../files/jsonFile.js';
import { exists } from '../files/reading.js';
import { t } from '../l10n/text.js';
import { workspaceManifest, workspaceManifestFile, type WorkspaceManifest } from '../protocol/workspaceManifest.js';

/** Null if the run did not learn from a folder of source code. Throws UserError('file-corrupt') if the file is damaged. */
export function readWorkspaceManifest(runFolder: string): WorkspaceManifest | null {
  const path = join(runFolder, workspaceManifestFile);
  if (!exists(path)) return null;
  const json = readJsonFile(path);
  if (workspaceManifest(json)) return json;
  throw new UserError('file-corrupt', t`${path} is damaged: it does not list the files of a workspace.`);
}

export function writeWorkspaceManifest(runFolder: string, manifest: WorkspaceManifest): void {
  writeFileAtomically(join(runFolder, workspaceManifestFile), `${JSON.stringify(manifest, null, 2)}\n`);
}
