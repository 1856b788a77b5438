import { basename } from 'node:path';
import { applyEdits, findNodeAtLocation, modify, parse, parseTree, type ParseError } from 'jsonc-parser';
import * as vscode from 'vscode';
import type { ConfigText } from '../protocol/backend.js';
import type { ConfigDocument as ShownDocument, ConfigEdit } from '../protocol/webview.js';

/** A run.json and its form: two views of one text document. */
export class ConfigDocument {
  private throughEdit = 0;
  private lastEdit: Promise<unknown> = Promise.resolve();

  private constructor(private readonly document: vscode.TextDocument) {}

  /** Opens the file; makes one that holds nothing yet where there is none. */
  static async open(uri: vscode.Uri): Promise<ConfigDocument> {
    const exists = await vscode.workspace.fs.stat(uri).then(
      () => true,
      () => false,
    );
    if (!exists) await vscode.workspace.fs.writeFile(uri, Buffer.from('{\n}\n'));
    return new ConfigDocument(await vscode.workspace.openTextDocument(uri));
  }

  get uri(): vscode.Uri {
    return this.document.uri;
  }

  /** As the user knows it; where the draft lies is nothing to know. */
  private get name(): string {
    const inWorkspace = vscode.workspace.getWorkspaceFolder(this.uri) !== undefined;
    return inWorkspace ? vscode.workspace.asRelativePath(this.uri) : basename(this.uri.fsPath);
  }

  /** The config as the backend wants it; undefined while the text is no JSON object. */
  text(): ConfigText | undefined {
    const shown = this.shown();
    return shown.kind === 'parsed' ? { config: shown.config, path: this.uri.fsPath } : undefined;
  }

  shown(): ShownDocument {
    const name = this.name;
    const errors: ParseError[] = [];
    const config: unknown = parse(this.document.getText() || '{}', errors, { allowTrailingComma: true });
    const isObject = typeof config === 'object' && config !== null && !Array.isArray(config);
    if (errors.length === 0 && isObject) {
      return { kind: 'parsed', config: config as Record<string, unknown>, throughEdit: this.throughEdit, name };
    }
    return { kind: 'broken', message: vscode.l10n.t('{0} is not valid JSON at present.', name), name };
  }

  /** Edits of the form, one after the other; comments and layout of the text stay. `edit`: its number, for the form to recognise. */
  async apply(edits: readonly ConfigEdit[], edit?: number): Promise<void> {
    const written = this.lastEdit.then(() => this.write(edits));
    this.lastEdit = written.catch(() => undefined);
    await written.finally(() => {
      // Only now: a text that lacks the edit must not pass for one that has it.
      this.throughEdit = edit ?? this.throughEdit;
    });
  }

  /** When every edit so far is in the text. */
  async settled(): Promise<this> {
    await this.lastEdit;
    return this;
  }

  private async write(edits: readonly ConfigEdit[]): Promise<void> {
    const before = this.document.getText();
    const after = edits.reduce(edited, before.trim() === '' ? '{}' : before);
    if (after !== before) await this.replace(before, after);
    // In sight of the user it is theirs to save; otherwise nobody would.
    if (!isShown(this.uri)) await this.document.save();
  }

  /** Only what differs, so that a cursor in the text stays where it is. */
  private async replace(before: string, after: string): Promise<void> {
    let start = 0;
    while (start < before.length && before[start] === after[start]) start++;
    let end = 0;
    const shorter = Math.min(before.length, after.length) - start;
    while (end < shorter && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
    const range = new vscode.Range(this.document.positionAt(start), this.document.positionAt(before.length - end));
    const change = new vscode.WorkspaceEdit();
    change.replace(this.uri, range, after.slice(start, after.length - end));
    await vscode.workspace.applyEdit(change);
  }
}

/** Nothing is removed where nothing is: jsonc-parser would refuse. */
function edited(text: string, { path, value }: ConfigEdit): string {
  const absent = findNodeAtLocation(parseTree(text)!, [...path]) === undefined;
  if (absent && value === undefined) return text;
  return applyEdits(text, modify(text, [...path], value, { formattingOptions: { insertSpaces: true, tabSize: 2 } }));
}

function isShown(uri: vscode.Uri): boolean {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return tabs.some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri.toString());
}
