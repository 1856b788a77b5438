import * as vscode from 'vscode';
import { prefix, type Settings } from './contributions.js';

export function setting<Name extends keyof Settings>(name: Name): Settings[Name] {
  // package.json gives every setting a default, so there is always a value.
  return vscode.workspace.getConfiguration(prefix).get(name) as Settings[Name];
}

/** Where it is set now: in the workspace's settings, or else in the user's. */
export async function changeSetting<Name extends keyof Settings>(name: Name, value: Settings[Name]): Promise<void> {
  const settings = vscode.workspace.getConfiguration(prefix);
  const isOfWorkspace = settings.inspect(name)?.workspaceValue !== undefined;
  const { Workspace, Global } = vscode.ConfigurationTarget;
  await settings.update(name, value, isOfWorkspace ? Workspace : Global);
}

export async function updateModelFolders(folders: readonly string[]): Promise<void> {
  await vscode.workspace.getConfiguration(prefix).update('modelFolders', folders, vscode.ConfigurationTarget.Global);
}
