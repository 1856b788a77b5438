/** @file A run config as text: what it says, and how an edit changes no more of it than it must. Knows neither files nor editors. */
import { applyEdits, findNodeAtLocation, modify, parse, parseTree, type FormattingOptions, type ParseError } from 'jsonc-parser';
import { isRecord } from '../protocol/guard.js';
import type { ConfigEdit } from '../protocol/views/fineTune.js';

export const emptyConfigText = '{\n}\n';

type Config = Readonly<Record<string, unknown>>;

/** undefined where the text is no JSON object; comments and trailing commas are allowed, and an empty text is an empty object. */
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

/** The text after some edits, its comments and layout kept; undefined where it is no JSON object that could be edited. */
export function withEdits(text: string, edits: readonly ConfigEdit[]): string | undefined {
  if (!parseConfigText(text)) return undefined;
  const json = withoutMark(text);
  const mark = text.slice(0, text.length - json.length);
  return mark + edits.reduce(withEdit, json.trim() === '' ? '{}' : json);
}

function withEdit(text: string, { path, value }: ConfigEdit): string {
  const tree = parseTree(text, [], { allowTrailingComma: true })!;
  const absent = findNodeAtLocation(tree, [...path]) === undefined;
  // Nothing is removed where nothing is: jsonc-parser would refuse.
  if (absent && value === undefined) return text;
  const sections = path.slice(0, -1).map((_, depth) => path.slice(0, depth + 1));
  // A section that is no object, such as null, makes room for one.
  const blocked = sections.find((section) => (findNodeAtLocation(tree, [...section])?.type ?? 'object') !== 'object');
  const [place, content] = blocked ? [blocked, nested(path.slice(blocked.length), value)] : [path, value];
  return applyEdits(text, modify(text, [...place], content, { formattingOptions: indentation(text) }));
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, key) => ({ [key]: inner }), value);
}

/** As the text has it already. */
function indentation(text: string): FormattingOptions {
  const [, first = '  '] = /^([ \t]+)\S/m.exec(text) ?? [];
  return first.startsWith('\t') ? { insertSpaces: false, tabSize: 1 } : { insertSpaces: true, tabSize: first.length };
}

export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Only what differs, so that a cursor in the text stays where it is. */
export function difference(before: string, after: string): Replacement {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start++;
  let same = 0;
  const shorter = Math.min(before.length, after.length) - start;
  while (same < shorter && before[before.length - 1 - same] === after[after.length - 1 - same]) same++;
  return { start, end: before.length - same, text: after.slice(start, after.length - same) };
}

/** Without the byte order mark that some editors put in front. */
function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '');
}
