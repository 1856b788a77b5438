import * as vscode from 'vscode';
import type { Catalog } from './catalog.js';
import { prefix, type ContextKey } from './contributions.js';
import { runContext, type Runs } from './runs.js';

const values = new Map<ContextKey, boolean>();

/** Sets keys of `when` clauses, except those that already have the value. */
export function setContext(keys: Partial<Record<ContextKey, boolean>>): void {
  for (const [key, value] of Object.entries(keys) as [ContextKey, boolean][]) {
    if (values.get(key) === value) continue;
    values.set(key, value);
    void vscode.commands.executeCommand('setContext', `${prefix}.${key}`, value);
  }
}

/** Keeps the context keys up to date with the runs, models and adapters that exist. */
export function followContext(runs: Runs, catalog: Catalog): vscode.Disposable[] {
  return [
    runs.onDidChange(() => setContext(runContext(runs.list()))),
    catalog.onDidChange(() => setContext({ hasModels: catalog.models.length > 0, hasAdapters: catalog.adapters.length > 0 })),
  ];
}
