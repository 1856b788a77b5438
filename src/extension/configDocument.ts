import { copyFile, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { ConfigText } from '../protocol/backend.js';
import type { ConfigDocument as ShownDocument, ConfigEdit } from '../protocol/views/fineTune.js';
import { difference, emptyConfigText, parseConfigText, withEdits } from './configText.js';
import { replaceFile } from './replaceFile.js';

/**
 * A run.json and its form: two views of one text. While an editor shows the file, the text is the editor's; otherwise it is the
 * file's, because VS Code closes hidden documents after some minutes and their content then becomes stale.
 */
export class ConfigDocument implements vscode.Disposable {
  private throughEdit = 0;
  private lastTurn: Promise<unknown> = Promise.resolve();
  /** Text of the file; undefined while there is no file. */
  private fileText: string | undefined;
  private toldText: string | undefined;
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: readonly vscode.Disposable[];
  /** Fires when the text has changed, no matter who changed it. */
  readonly onDidChange = this.changed.event;

  private constructor(readonly uri: vscode.Uri) {
    const look = () => void this.settled();
    const lookAt = (changed: vscode.Uri) => {
      if (changed.toString() === uri.toString()) look();
    };
    // Watches the whole folder, because a file name may contain characters that a pattern would treat as wildcards.
    const folder = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.joinPath(uri, '..'), '*'));
    this.subscriptions = [
      this.changed,
      folder,
      folder.onDidCreate(lookAt),
      folder.onDidChange(lookAt),
      folder.onDidDelete(lookAt),
      vscode.workspace.onDidChangeTextDocument(({ document }) => lookAt(document.uri)),
      vscode.workspace.onDidCloseTextDocument((document) => lookAt(document.uri)),
      vscode.workspace.onDidSaveTextDocument((document) => lookAt(document.uri)),
      vscode.window.tabGroups.onDidChangeTabs(look),
    ];
  }

  static async open(uri: vscode.Uri): Promise<ConfigDocument> {
    return new ConfigDocument(uri).settled();
  }

  /** Opens the config that is started in the panel, and creates it if there is none. */
  static async openDraft(uri: vscode.Uri): Promise<ConfigDocument> {
    const exists = await vscode.workspace.fs.stat(uri).then(
      () => true,
      () => false,
    );
    if (!exists) await vscode.workspace.fs.writeFile(uri, Buffer.from(emptyConfigText));
    return ConfigDocument.open(uri);
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** The config in the form that the backend expects; undefined while the text is not a JSON object. */
  text(): ConfigText | undefined {
    const shown = this.shown();
    return shown.kind === 'parsed' ? { config: shown.config, path: this.uri.fsPath } : undefined;
  }

  /** Like `text`, but throws an error that explains why there is no config. */
  readable(): ConfigText {
    const shown = this.shown();
    if (shown.kind !== 'parsed') throw new Error(shown.message);
    return { config: shown.config, path: this.uri.fsPath };
  }

  shown(): ShownDocument {
    const { name, throughEdit } = this;
    const text = this.presentText();
    if (text === undefined) return { kind: 'missing', message: this.whyMissing(), name };
    const config = parseConfigText(text);
    return config ? { kind: 'parsed', config, throughEdit, name } : { kind: 'broken', message: this.whyBroken(), name };
  }

  /** Applies the form's edits one after another, each to the text at that time. `edit` is a number that the form recognises. */
  apply(edits: readonly ConfigEdit[], edit?: number): Promise<void> {
    return this.inTurn(async () => {
      try {
        await this.write(edits);
      } finally {
        // Set only now, because a text without the edit must not pass for one that has it.
        this.throughEdit = edit ?? this.throughEdit;
      }
    });
  }

  /** Starts over. The old text is not lost: an editor can undo the change; otherwise a copy is kept, whose place is returned. */
  reset(): Promise<vscode.Uri | undefined> {
    return this.inTurn(async () => {
      const before = await this.readAgain();
      const copy = before === undefined || before.trim() === '' || this.inEditor() ? undefined : await this.keepCopy();
      await this.replace(before ?? '', emptyConfigText);
      return copy;
    });
  }

  /** Waits until every edit so far is in the text and what others wrote meanwhile has been read. */
  async settled(): Promise<this> {
    await this.inTurn(() => this.readAgain());
    return this;
  }

  /** The name as the user knows it, which does not reveal where the draft is stored. */
  private get name(): string {
    const inWorkspace = vscode.workspace.getWorkspaceFolder(this.uri) !== undefined;
    return inWorkspace ? vscode.workspace.asRelativePath(this.uri) : basename(this.uri.fsPath);
  }

  private inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const turn = this.lastTurn.then(act);
    this.lastTurn = turn.catch(() => undefined);
    return turn;
  }

  private presentText(): string | undefined {
    return this.inEditor()?.getText() ?? this.fileText;
  }

  /** The document while an editor shows it or it has unsaved changes. */
  private inEditor(): vscode.TextDocument | undefined {
    const document = vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === this.uri.toString());
    return document && !document.isClosed && (document.isDirty || isShown(this.uri)) ? document : undefined;
  }

  private async readAgain(): Promise<string | undefined> {
    this.fileText = await readFile(this.uri.fsPath, 'utf8').catch(() => undefined);
    const text = this.presentText();
    if (text !== this.toldText) {
      this.toldText = text;
      this.changed.fire();
    }
    return text;
  }

  private async write(edits: readonly ConfigEdit[]): Promise<void> {
    const before = await this.readAgain();
    if (before === undefined) throw new Error(this.whyMissing());
    const after = withEdits(before, edits);
    if (after === undefined) throw new Error(this.whyBroken());
    if (after !== before) await this.replace(before, after);
  }

  private async replace(before: string, after: string): Promise<void> {
    const document = this.inEditor();
    if (document) await this.replaceInEditor(document, before, after);
    else await replaceFile(this.uri.fsPath, after).catch((error: Error) => this.refuse(error.message));
    await this.readAgain();
  }

  private async replaceInEditor(document: vscode.TextDocument, before: string, after: string): Promise<void> {
    const { start, end, text } = difference(before, after);
    const change = new vscode.WorkspaceEdit();
    change.replace(this.uri, new vscode.Range(document.positionAt(start), document.positionAt(end)), text);
    const done = await vscode.workspace.applyEdit(change);
    if (!done) this.refuse(vscode.l10n.t('The editor rejected the change.'));
    // If the document is shown, saving is up to the user; otherwise nobody would save it.
    if (!isShown(this.uri)) await document.save();
  }

  private async keepCopy(): Promise<vscode.Uri> {
    const copy = `${this.uri.fsPath}.${new Date().toISOString().replaceAll(':', '-')}.bak`;
    await copyFile(this.uri.fsPath, copy);
    return vscode.Uri.file(copy);
  }

  private refuse(reason: string): never {
    throw new Error(vscode.l10n.t('{0} could not be changed: {1}', this.name, reason));
  }

  private whyBroken(): string {
    return vscode.l10n.t('{0} is not valid JSON.', this.name);
  }

  private whyMissing(): string {
    return vscode.l10n.t('{0} no longer exists.', this.name);
  }
}

function isShown(uri: vscode.Uri): boolean {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return tabs.some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri.toString());
}
