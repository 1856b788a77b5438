/** @file A run config as text: parses it, and edits it with as few changes as possible. Knows neither files nor editors. */
import { applyEdits, findNodeAtLocation, modify, parse, parseTree, type FormattingOptions, type ParseError } from 'jsonc-parser';
import { isRecord } from '../protocol/guard.js';
import type { ConfigEdit } from '../protocol/views/fineTune.js';

export const emptyConfigText = '{\n}\n';

type Config = Readonly<Record<string, unknown>>;

/** Returns undefined if the text is not a JSON object. Allows comments and trailing commas; empty text is an empty object. */
export function parseConfigText(text: string): Config | undefined {
  const json = withoutMark(text);
  if (json.trim() === '') return {};
  const errors: ParseError[] = [];
  try {
    const config: unknown = parse(json, errors, { allowTrailingComma: true });
    return errors.length === 0 && isRecord(config) ? config : undefined;
  } catch {
    // The parser is recursive: only absurd nesting gets here.
    return undefined;
  }
}

/** Applies edits to the text and keeps its comments and layout. Returns undefined if the text is not a JSON object. */
export function withEdits(text: string, edits: readonly ConfigEdit[]): string | undefined {
  if (!parseConfigText(text)) return undefined;
  const json = withoutMark(text);
  const mark = text.slice(0, text.length - json.length);
  return mark + edits.reduce(withEdit, json.trim() === '' ? '{}' : json);
}

function withEdit(text: string, { path, value }: ConfigEdit): string {
  const tree = parseTree(text, [], { allowTrailingComma: true })!;
  const absent = findNodeAtLocation(tree, [...path]) === undefined;
  // There is nothing to remove, and jsonc-parser would refuse.
  if (absent && value === undefined) return text;
  const sections = path.slice(0, -1).map((_, depth) => path.slice(0, depth + 1));
  // A section that is not an object, such as null, is replaced by one.
  const blocked = sections.find((section) => (findNodeAtLocation(tree, [...section])?.type ?? 'object') !== 'object');
  const [place, content] = blocked ? [blocked, nested(path.slice(blocked.length), value)] : [path, value];
  return applyEdits(text, modify(text, [...place], content, { formattingOptions: indentation(text) }));
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, key) => ({ [key]: inner }), value);
}

/** The indentation that the text already uses. */
function indentation(text: string): FormattingOptions {
  const [, first = '  '] = /^([ \t]+)\S/m.exec(text) ?? [];
  return first.startsWith('\t') ? { insertSpaces: false, tabSize: 1 } : { insertSpaces: true, tabSize: first.length };
}

export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Covers only what differs, so that a cursor in the text stays where it is. */
export function difference(before: string, after: string): Replacement {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start++;
  let same = 0;
  const shorter = Math.min(before.length, after.length) - start;
  while (same < shorter && before[before.length - 1 - same] === after[after.length - 1 - same]) same++;
  return { start, end: before.length - same, text: after.slice(start, after.length - same) };
}

/** Removes the byte order mark that some editors put at the beginning. */
function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '');
}
