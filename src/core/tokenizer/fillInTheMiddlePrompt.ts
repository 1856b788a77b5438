import type { FillInTheMiddleFormat } from './fillInTheMiddleFormats.js';
import type { Tokenizer } from './tokenizer.js';

export interface FillInTheMiddleParts {
  readonly prefix: string;
  readonly suffix: string;
  /** With the middle and its end: what a model learns from. Without: the prompt that it goes on from. */
  readonly middle?: string;
  /** Path of the file, with slashes, as the repository has it. */
  readonly file?: string;
  /** Name of the repository. */
  readonly repository?: string;
}

type Encoder = Pick<Tokenizer, 'encode' | 'decode' | 'tokenId' | 'eosId'>;

/**
 * The ids that a model reads. Where they would be more than `budget`, what is furthest from the cursor goes: three quarters of the
 * room are for the prefix. Null where not even the markers fit.
 */
export function fillInTheMiddlePrompt(
  format: FillInTheMiddleFormat,
  encoder: Encoder,
  parts: FillInTheMiddleParts,
  budget = Number.MAX_SAFE_INTEGER,
): readonly number[] | null {
  const start = [...encoder.encode('')];
  const markers = [format.prefix, format.suffix, format.middle].map((text) => markerIds(encoder, text));
  const [prefixMarker, suffixMarker, middleMarker] = markers as [number[], number[], number[]];
  const middle = parts.middle === undefined ? [] : [...encodeOnwards(encoder, parts.middle), ...endIds(format, encoder)];
  const roomBesideMarkers = budget - start.length - markers.flat().length - middle.length;
  const { outside, inPrefix } = headersWithin(roomBesideMarkers / 4, format, encoder, parts);
  const room = roomBesideMarkers - outside.length;
  if (room <= 0) return null;
  const roomBehind = Math.floor(room / 4);
  const before = [...prefixMarker, ...encodePrefix(encoder, inPrefix, parts.prefix, room - roomBehind)];
  const behind = [...suffixMarker, ...encodeOnwards(encoder, parts.suffix).slice(0, roomBehind)];
  const around = format.order === 'PSM' ? [...before, ...behind] : [...behind, ...before];
  return [...start, ...outside, ...around, ...middleMarker, ...middle];
}

interface Headers {
  readonly outside: readonly number[];
  readonly inPrefix: string;
}

/** The text matters more: headers that take much of a short context are left out. */
function headersWithin(
  room: number,
  { headers, stops }: FillInTheMiddleFormat,
  encoder: Encoder,
  { file, repository }: FillInTheMiddleParts,
): Headers {
  if (!headers || !file) return { outside: [], inPrefix: '' };
  const encode = (header: string, name: string) => encodeHeader(encoder, header, name, stops);
  const ofRepository = repository ? encode(headers.repository, repository) : [];
  const outside = [...ofRepository, ...encode(headers.file, file)];
  const inPrefix = filled(headers.inPrefix, file);
  return outside.length + encodeText(encoder, inPrefix).length <= room ? { outside, inPrefix } : { outside: [], inPrefix: '' };
}

/** A header may begin with one of `tokens`. */
function encodeHeader(encoder: Encoder, header: string, name: string, tokens: readonly string[]): readonly number[] {
  const token = tokens.find((text) => header.startsWith(text)) ?? '';
  return [...(token === '' ? [] : markerIds(encoder, token)), ...encodeText(encoder, filled(header.slice(token.length), name))];
}

function filled(header: string, name: string): string {
  return header.replace('{}', () => name);
}

/** Header and text in one, so that they are split into tokens as one text; what goes is the beginning of the text. */
function encodePrefix(encoder: Encoder, header: string, text: string, room: number): readonly number[] {
  const ids = encodeText(encoder, header + text);
  const kept = header === '' ? 0 : encodeText(encoder, header).length;
  return [...ids.slice(0, kept), ...ids.slice(Math.max(kept, ids.length - room + kept))];
}

/** One token where the vocabulary has it, else the tokens of the text. */
function markerIds(encoder: Encoder, text: string | null): readonly number[] {
  if (text === null) return [];
  const id = encoder.tokenId(text);
  return id === undefined ? encodeOnwards(encoder, text) : [id];
}

function endIds({ end }: FillInTheMiddleFormat, encoder: Encoder): readonly number[] {
  if (end !== null) return markerIds(encoder, end);
  return encoder.eosId === null ? [] : [encoder.eosId];
}

function encodeText(encoder: Encoder, text: string): readonly number[] {
  return text === '' ? [] : [...encoder.encode(text, { addSpecialTokens: false })];
}

/** Joins no other characters in a token. */
const smile = '☺';

/**
 * A text that goes on from another. SentencePiece puts a space before the first word of what it is given, which must not be here:
 * Code Llama and Codestral were taught without it, by the same trick (encode_infilling of
 * https://github.com/meta-llama/codellama/blob/main/llama/tokenizer.py, _encode_infilling of mistral-common).
 */
function encodeOnwards(encoder: Encoder, text: string): readonly number[] {
  const plain = encodeText(encoder, text);
  if (!addsSpace(encoder)) return plain;
  const before = encodeText(encoder, smile);
  const ids = encodeText(encoder, smile + text);
  return before.every((id, index) => ids[index] === id) ? ids.slice(before.length) : plain;
}

function addsSpace(encoder: Encoder): boolean {
  return encoder.decode(encodeText(encoder, 'a'), { continuation: true }).startsWith(' ');
}
