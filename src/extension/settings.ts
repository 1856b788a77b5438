import * as vscode from 'vscode';
import { prefix, type Settings } from './contributions.js';

export function setting<Name extends keyof Settings>(name: Name): Settings[Name] {
  // package.json gives every setting a default, so there is always a value.
  return vscode.workspace.getConfiguration(prefix).get(name) as Settings[Name];
}

export async function updateModelFolders(folders: readonly string[]): Promise<void> {
  await vscode.workspace.getConfiguration(prefix).update('modelFolders', folders, vscode.ConfigurationTarget.Global);
}
