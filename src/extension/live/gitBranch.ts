import * as vscode from 'vscode';

/** The part of the built-in Git extension's API that is used here. */
interface GitExtension {
  getAPI(version: 1): {
    getRepository(
      uri: vscode.Uri,
    ): { readonly state: { readonly HEAD?: { readonly name?: string; readonly commit?: string } } } | null;
  };
}

/** The branch that a file's repository is on, or the commit if it is on none; undefined without Git. */
export function gitBranch(uri: vscode.Uri): string | undefined {
  const git = vscode.extensions.getExtension<GitExtension>('vscode.git');
  if (!git?.isActive) return undefined;
  try {
    const head = git.exports.getAPI(1).getRepository(uri)?.state.HEAD;
    return head?.name ?? head?.commit;
  } catch {
    // Git is disabled in the settings.
    return undefined;
  }
}
