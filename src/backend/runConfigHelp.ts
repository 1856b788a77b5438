import { findNodeAtLocation, getNodeValue, parseTree, type Node } from 'jsonc-parser';
import { DiagnosticSeverity, type Connection, type Diagnostic, type TextDocuments } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { settingSchema } from '../protocol/runConfigSchema.js';
import { validateRunConfig } from '../protocol/validateRunConfig.js';

export const isRunConfig = (uri: string) => /(^|[/.])run\.json$/i.test(uri);

/** Suggests names for misspelt settings in a run.json. The editor's JSON support marks all schema errors but cannot do that. */
export function suggestSettings(connection: Connection, documents: TextDocuments<TextDocument>): void {
  const tell = ({ uri }: TextDocument, diagnostics: Diagnostic[]) => void connection.sendDiagnostics({ uri, diagnostics });
  documents.onDidChangeContent(({ document }) => {
    if (isRunConfig(document.uri)) tell(document, unknownSettings(document));
  });
  documents.onDidClose(({ document }) => {
    if (isRunConfig(document.uri)) tell(document, []);
  });
}

/** One diagnostic for each unknown setting, at its name. */
function unknownSettings(document: TextDocument): Diagnostic[] {
  const tree = parseTree(document.getText(), [], { allowTrailingComma: true });
  const result = tree && validateRunConfig(getNodeValue(tree));
  if (!result || result.ok) return [];
  const unknown = result.problems.filter(({ path }) => path.length > 0 && !settingSchema(path));
  return unknown.flatMap(({ path, message }) => {
    const name = nameNode(tree, path);
    return name
      ? { range: rangeOf(document, name), severity: DiagnosticSeverity.Information, message, source: 'LoRA Workbench' }
      : [];
  });
}

function nameNode(tree: Node, path: readonly string[]): Node | undefined {
  return findNodeAtLocation(tree, [...path])?.parent?.children?.[0];
}

function rangeOf(document: TextDocument, { offset, length }: Node): Diagnostic['range'] {
  return { start: document.positionAt(offset), end: document.positionAt(offset + length) };
}
