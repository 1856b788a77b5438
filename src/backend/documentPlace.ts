import type { WorkspaceFolder } from 'vscode-languageserver/node';

export interface DocumentPlace {
  /** Path in the folder of the workspace; a file from elsewhere has only its name. */
  readonly file?: string;
  /** The folder's name. */
  readonly repository?: string;
}

/** What a model is told of a document; nothing of one that is no file yet. */
export function documentPlace(uri: string, folders: readonly WorkspaceFolder[]): DocumentPlace {
  if (!uri.startsWith('file:')) return {};
  const around = folders.filter((folder) => uri.startsWith(`${folder.uri}/`));
  const [folder] = around.sort((one, other) => other.uri.length - one.uri.length);
  if (!folder) return { file: decodeURIComponent(uri.slice(uri.lastIndexOf('/') + 1)) };
  return { file: decodeURIComponent(uri.slice(folder.uri.length + 1)), repository: folder.name };
}
