import * as vscode from 'vscode';
import { prefix, type ContextKey } from './contributions.js';

const values = new Map<ContextKey, boolean>();

/** Sets keys of `when` clauses; a key that has the value already costs nothing. */
export function setContext(keys: Partial<Record<ContextKey, boolean>>): void {
  for (const [key, value] of Object.entries(keys) as [ContextKey, boolean][]) {
    if (values.get(key) === value) continue;
    values.set(key, value);
    void vscode.commands.executeCommand('setContext', `${prefix}.${key}`, value);
  }
}
