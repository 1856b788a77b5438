/**
 * @file SentencePiece's precompiled normalization (https://github.com/google/sentencepiece, src/normalizer.cc): a double-array
 * trie over UTF-8 (https://github.com/s-yata/darts-clone) from texts to their replacements, followed by the replacements.
 */
import { t } from '../../l10n/text.js';
import { base64Bytes } from './base64.js';

/** Replaces the longest text that the map knows, again and again. Throws an Error if the map is damaged. */
export function charactersMap(encoded: string): (text: string) => string {
  const bytes = base64Bytes(encoded);
  const view = bytes && new DataView(bytes.buffer);
  const trieBytes = view && view.byteLength >= 4 ? view.getUint32(0, true) : -1;
  if (!bytes || !view || trieBytes < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length)
    throw new Error(t`its map of characters is damaged`);
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, index) => view.getUint32(4 + 4 * index, true));
  return replacer(units, bytes.subarray(4 + trieBytes));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function replacer(units: Uint32Array, replacements: Uint8Array): (text: string) => string {
  return (text) => {
    const bytes = encoder.encode(text);
    const normalized: number[] = [];
    for (let at = 0; at < bytes.length;) {
      const match = longestMatch(units, bytes, at);
      const [from, length] = match
        ? [replacements, lengthUntilZero(replacements, match.value)]
        : [bytes, characterLength(bytes[at]!)];
      const start = match ? match.value : at;
      for (let i = start; i < start + length; i++) normalized.push(from[i]!);
      at += match ? match.length : length;
    }
    return decoder.decode(Uint8Array.from(normalized));
  };
}

/** Each unit holds the label of the step that leads to it, and where the units of its own steps are. */
function longestMatch(units: Uint32Array, bytes: Uint8Array, start: number): { value: number; length: number } | null {
  let match: { value: number; length: number } | null = null;
  let node = offsetOf(units[0]!);
  for (let at = start; at < bytes.length; at++) {
    node ^= bytes[at]!;
    const unit = units[node];
    if (unit === undefined || (unit & labelBits) !== bytes[at]!) break;
    node ^= offsetOf(unit);
    if (unit & hasLeaf) match = { value: (units[node] ?? 0) & valueBits, length: at - start + 1 };
  }
  return match;
}

const labelBits = 0x800000ff | 0;
const valueBits = 0x7fffffff;
const hasLeaf = 1 << 8;

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}

function lengthUntilZero(bytes: Uint8Array, start: number): number {
  const end = bytes.indexOf(0, start);
  return (end < 0 ? bytes.length : end) - Math.min(start, bytes.length);
}

/** Of a UTF-8 character, by its first byte. */
function characterLength(first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}
