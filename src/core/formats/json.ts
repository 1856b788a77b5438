/** @file Untrusted JSON: measured before it is parsed, because a byte or two of text can become an object of fifty bytes. */
import { t } from '../../l10n/text.js';
import type { UserError } from '../errors.js';

interface JsonMeasure {
  /** Objects, lists, and commas between their elements. */
  readonly parts: number;
  /** Field names, counting duplicates each time. */
  readonly names: number;
  /** The largest number of objects and lists open at once. */
  readonly maxDepth: number;
}

/** No legitimate file nests deeper; a text of a million brackets does. */
export const maxNesting = 64;

/** Parses JSON of at most `maxParts` parts. `refuse` creates the error from a defect, such as "is not valid JSON". */
export function parseForeignJson(
  text: string,
  maxParts: number,
  refuse: (defect: string, cause?: unknown) => UserError,
  { parts, maxDepth }: JsonMeasure = measureJson(text),
): unknown {
  if (parts > maxParts) throw refuse(t`holds more than any file of its kind`);
  if (maxDepth > maxNesting) throw refuse(t`is nested more than ${maxNesting} deep`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refuse(t`is not valid JSON: ${(cause as Error).message.slice(0, 200)}`, cause);
  }
}

/** The text of a JSON file. Bytes that are not UTF-8 are a defect as well. */
export function decodeJsonText(bytes: Uint8Array, refuse: (defect: string, cause?: unknown) => UserError): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refuse(t`is not valid JSON: it is not in UTF-8`, cause);
  }
}

/** Looks only at what is outside of strings; the text need not be valid JSON. */
export function measureJson(text: string): JsonMeasure {
  let [parts, names, depth, maxDepth] = [0, 0, 0, 0];
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (inString && character === backslash) i++;
    else if (character === quote) inString = !inString;
    else if (inString) continue;
    else if (character === comma) parts++;
    else if (character === colon) names++;
    else if (character === openingBracket || character === openingBrace) {
      parts++;
      maxDepth = Math.max(maxDepth, ++depth);
    } else if (character === closingBracket || character === closingBrace) depth--;
  }
  return { parts, names, maxDepth };
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openingBracket, openingBrace, closingBracket, closingBrace] = [0x5b, 0x7b, 0x5d, 0x7d];
