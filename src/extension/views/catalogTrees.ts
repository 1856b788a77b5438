import * as vscode from 'vscode';
import type { AdapterInfo, ModelInfo, ModelSource } from '../../protocol/backend.js';
import { baseOf } from '../../protocol/baseOf.js';
import type { Catalog } from '../catalog.js';
import { setContext } from '../contextKeys.js';
import type { TreeItemKind } from '../contributions.js';
import { formatBytes, formatTime } from '../format.js';

export class AdaptersTree implements vscode.TreeDataProvider<AdapterInfo> {
  readonly onDidChangeTreeData: vscode.Event<void>;

  constructor(private readonly catalog: Catalog) {
    this.onDidChangeTreeData = catalog.onDidChange;
  }

  async getChildren(parent?: AdapterInfo): Promise<AdapterInfo[]> {
    await loaded(this.catalog);
    return parent ? [] : [...this.catalog.adapters];
  }

  getTreeItem(adapter: AdapterInfo): vscode.TreeItem {
    const item = new vscode.TreeItem(adapter.name);
    item.id = adapter.path;
    item.contextValue = 'adapter' satisfies TreeItemKind;
    // The end of a long name is hidden, so the icon marks the best of a run's two adapters.
    item.iconPath = new vscode.ThemeIcon(adapter.path.endsWith('adapter-best') ? 'star-full' : 'layers');
    item.description = describeAdapter(adapter, this.catalog.models);
    const text = new vscode.MarkdownString();
    for (const line of [
      vscode.l10n.t('Base model: {0}', adapter.baseModel),
      vscode.l10n.t('Rank {0}, alpha {1}, on {2}', adapter.rank, adapter.alpha, adapter.targetModules.join(', ')),
      ...(adapter.run ? [vscode.l10n.t('Data: {0}', adapter.run.dataPath)] : []),
      `${adapter.path} (${formatBytes(adapter.sizeBytes)})`,
    ])
      text.appendText(line).appendMarkdown('\n\n');
    item.tooltip = text;
    return item;
  }
}

/** Base model, rank, held-out loss, and when the adapter was made. */
export function describeAdapter(adapter: AdapterInfo, models: readonly ModelInfo[]): string {
  const loss = adapter.run?.heldOutLoss ?? null;
  return [
    baseOf(adapter, models)?.name ?? adapter.baseModel,
    vscode.l10n.t('rank {0}', adapter.rank),
    ...(loss === null ? [] : [vscode.l10n.t('held-out loss {0}', loss.toFixed(3))]),
    formatTime(new Date(adapter.modifiedAt).toISOString()),
  ].join(' · ');
}

export class ModelsTree implements vscode.TreeDataProvider<ModelInfo> {
  readonly onDidChangeTreeData: vscode.Event<void>;

  constructor(private readonly catalog: Catalog) {
    this.onDidChangeTreeData = catalog.onDidChange;
  }

  async getChildren(parent?: ModelInfo): Promise<ModelInfo[]> {
    await loaded(this.catalog);
    return parent ? [] : [...this.catalog.models];
  }

  getTreeItem(model: ModelInfo): vscode.TreeItem {
    const item = new vscode.TreeItem(model.name);
    item.id = model.path;
    item.contextValue = (model.source === 'added' ? 'model.added' : 'model') satisfies TreeItemKind;
    item.iconPath = new vscode.ThemeIcon('symbol-class');
    item.description = [kindText[model.kind], formatBytes(model.sizeBytes), sourceText(model.source)].join(' · ');
    item.tooltip = model.path;
    return item;
  }
}

const kindText = { huggingface: 'Hugging Face', meta: 'Meta', gguf: 'GGUF' } as const;

/** Until the first search is done, an empty tree shows no message, because it may not stay empty. */
async function loaded(catalog: Catalog): Promise<void> {
  if (await catalog.loaded()) setContext({ hasLookedForModels: true });
}

function sourceText(source: ModelSource): string {
  switch (source) {
    case 'cache':
      return vscode.l10n.t('cache');
    case 'workspace':
      return vscode.l10n.t('workspace');
    case 'added':
      return vscode.l10n.t('added');
    case 'hub':
      return vscode.l10n.t('model hub');
    case 'ollama':
      return 'Ollama';
    case 'lmstudio':
      return 'LM Studio';
  }
}
