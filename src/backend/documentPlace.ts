import type { WorkspaceFolder } from 'vscode-languageserver/node';

export interface DocumentPlace {
  /** Path relative to the workspace folder; only the name for a file outside the workspace. */
  readonly file?: string;
  /** Name of the workspace folder. */
  readonly repository?: string;
}

/** What a model is told about a document's location; empty for a document that is not a file yet. */
export function documentPlace(uri: string, folders: readonly WorkspaceFolder[]): DocumentPlace {
  if (!uri.startsWith('file:')) return {};
  const around = folders.filter((folder) => uri.startsWith(`${folder.uri}/`));
  const [folder] = around.sort((one, other) => other.uri.length - one.uri.length);
  if (!folder) return { file: decodeURIComponent(uri.slice(uri.lastIndexOf('/') + 1)) };
  return { file: decodeURIComponent(uri.slice(folder.uri.length + 1)), repository: folder.name };
}
