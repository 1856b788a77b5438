import { DiagnosticSeverity, type CodeLens, type Diagnostic, type Hover, type Position } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { detectFileFormat, type FormatName } from '../core/data/detectFormat.js';
import { readSequences } from '../core/data/readSequences.js';
import { rowsOf } from '../core/data/rows/rows.js';
import { textFile, type DataFile } from '../core/data/source.js';
import { UserError } from '../core/errors.js';
import { t } from '../l10n/text.js';
import { usualSequenceLength } from '../protocol/runConfigSchema.js';
import type { ModelTokenizer } from './tokenizers.js';

/** What is known about a data file that is open in an editor. */
export interface DataFileReport {
  readonly examples: number;
  /** Number of tokens of the example that begins on a line; lines are counted from 0. */
  readonly tokensByLine: ReadonlyMap<number, number>;
  readonly diagnostics: readonly Diagnostic[];
}

const largestDocument = 4 * 2 ** 20;
const maxDiagnostics = 200;

/** Returns undefined for a file that is not training data, or is too large to be examined while it is edited. */
export function examine(document: TextDocument, tokenizer: ModelTokenizer | undefined): DataFileReport | undefined {
  const text = document.getText();
  if (text.length > largestDocument) return undefined;
  const file = textFile(fileName(document.uri), text);
  try {
    const format = detectFileFormat(file);
    if (format === 'code') return undefined;
    const canCount = tokenizer && (tokenizer.textProblem === null || format === 'tokens');
    return canCount ? withTokens(document, file, format, tokenizer) : withoutModel(document, file);
  } catch (error) {
    // Not a known data format, so this is some unrelated JSON file.
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function withTokens(
  document: TextDocument,
  file: DataFile,
  format: FormatName,
  { tokenizer, vocabSize }: ModelTokenizer,
): DataFileReport {
  const context = { tokenizer, vocabSize, maxSequenceLength: usualSequenceLength, trainOnPrompt: false };
  const diagnostics: Diagnostic[] = [];
  const tokensByLine = new Map<number, number>();
  let examples = 0;
  for (const result of readSequences(file, format, context, null)) {
    const line = lineOf(result.origin);
    if ('reason' in result) {
      diagnostics.push(diagnostic(document, line, DiagnosticSeverity.Error, t`This example would be skipped: ${result.reason}.`));
      continue;
    }
    examples++;
    const length = result.sequences.reduce((sum, { inputIds }) => sum + inputIds.length, 0) + result.cut;
    tokensByLine.set(line, length);
    if (result.cut > 0) {
      const message = t`This example has ${length} tokens; at data.max_seq_length ${usualSequenceLength} its last ${result.cut} are cut off.`;
      diagnostics.push(diagnostic(document, line, DiagnosticSeverity.Warning, message));
    }
  }
  return { examples, tokensByLine, diagnostics: diagnostics.slice(0, maxDiagnostics) };
}

/** Without a model, tokens cannot be counted, but broken lines are still reported. */
function withoutModel(document: TextDocument, file: DataFile): DataFileReport {
  const diagnostics: Diagnostic[] = [];
  let examples = 0;
  for (const item of rowsOf(file)) {
    if ('value' in item) examples++;
    else
      diagnostics.push(
        diagnostic(document, item.number - 1, DiagnosticSeverity.Error, t`This example would be skipped: ${item.problem}.`),
      );
  }
  return { examples, tokensByLine: new Map(), diagnostics: diagnostics.slice(0, maxDiagnostics) };
}

function diagnostic(document: TextDocument, line: number, severity: DiagnosticSeverity, message: string): Diagnostic {
  const start = { line, character: 0 };
  const end = document.positionAt(document.offsetAt({ line: line + 1, character: 0 }));
  const lastOfLine = end.line > line ? document.positionAt(document.offsetAt(end) - 1) : end;
  return { range: { start, end: lastOfLine }, severity, message, source: 'LoRA Workbench' };
}

export function hover({ tokensByLine }: DataFileReport, { line }: Position): Hover | null {
  const tokens = tokensByLine.get(line);
  return tokens === undefined
    ? null
    : { contents: { kind: 'plaintext', value: tokens === 1 ? t`${tokens} token` : t`${tokens} tokens` } };
}

export function codeLens({ examples }: DataFileReport, uri: string): CodeLens[] {
  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
  const title = examples === 1 ? t`Fine-tune on this file (1 example)` : t`Fine-tune on this file (${examples} examples)`;
  return [{ range, command: { title, command: 'loraWorkbench.fineTuneFile', arguments: [uri] } }];
}

/** The line number in `path:line`, converted to count from 0. */
function lineOf(origin: string): number {
  return Math.max(0, Number(/:(\d+)$/.exec(origin)?.[1] ?? 1) - 1);
}

function fileName(uri: string): string {
  return decodeURIComponent(uri.split('/').at(-1) ?? uri);
}
