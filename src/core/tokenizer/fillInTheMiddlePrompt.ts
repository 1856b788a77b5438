import type { FillInTheMiddleFormat } from './fillInTheMiddleFormats.js';
import { PartEncoder, type Encoder } from './partEncoder.js';

export interface FillInTheMiddleParts {
  readonly prefix: string;
  readonly suffix: string;
  /** Path of the file within the repository, with forward slashes. */
  readonly file?: string;
  /** Name of the repository. */
  readonly repository?: string;
  /**
   * Parts of other files, the most important last, for models that have learned to read several files. Those that would take more
   * than half of the room are left out.
   */
  readonly others?: readonly OtherFile[];
}

export interface OtherFile {
  readonly file: string;
  readonly text: string;
}

/**
 * The ids that a model reads. If they exceed `budget`, the text furthest from the cursor is dropped; three quarters of the room
 * go to the prefix. Null if not even the markers fit.
 */
export function fillInTheMiddlePrompt(
  format: FillInTheMiddleFormat,
  encoder: Encoder,
  parts: FillInTheMiddleParts,
  budget = Number.MAX_SAFE_INTEGER,
): readonly number[] | null {
  return arranged(format, new PartEncoder(encoder, format), parts, [], budget);
}

/**
 * A training example: such a prompt, followed by the middle and its end, which the model must learn too. `middleStart` is the
 * index of the middle's first id.
 */
export function fillInTheMiddleExample(
  format: FillInTheMiddleFormat,
  encoder: Encoder,
  { middle, ...parts }: FillInTheMiddleParts & { readonly middle: string },
  budget = Number.MAX_SAFE_INTEGER,
): { readonly ids: readonly number[]; readonly middleStart: number } | null {
  const encode = new PartEncoder(encoder, format);
  const end = format.end === null ? [encoder.eosId].filter((id) => id !== null) : encode.marker(format.end);
  const answer = [...encode.onwards(middle), ...end];
  const ids = arranged(format, encode, parts, answer, budget);
  return ids && { ids, middleStart: ids.length - answer.length };
}

/** The parts in the order of the format, and `answer` behind them. */
function arranged(
  format: FillInTheMiddleFormat,
  encode: PartEncoder,
  parts: FillInTheMiddleParts,
  answer: readonly number[],
  budget: number,
): readonly number[] | null {
  const { prefix, suffix, middle } = format;
  const start = encode.start();
  const [prefixMarker, suffixMarker, middleMarker] = [encode.marker(prefix), encode.marker(suffix), encode.marker(middle)];
  const frame = [start, prefixMarker, suffixMarker, middleMarker, answer];
  const roomInFrame = budget - frame.flat().length;
  const { ofRepository, ofFile, inPrefix } = headersWithin(roomInFrame / 4, format, encode, parts);
  const others = ofFile.length > 0 ? othersWithin(roomInFrame / 2, format, encode, parts.others ?? []) : [];
  const outside = [...ofRepository, ...others, ...ofFile];
  const room = roomInFrame - outside.length;
  if (room <= 0) return null;
  const roomBehind = Math.floor(room / 4);
  const before = [...prefixMarker, ...prefixWithin(room - roomBehind, encode, inPrefix, parts.prefix)];
  const behind = [...suffixMarker, ...encode.onwards(parts.suffix).slice(0, roomBehind)];
  const around = format.order === 'PSM' ? [...before, ...behind] : [...behind, ...before];
  return [...start, ...outside, ...around, ...middleMarker, ...answer];
}

interface Headers {
  readonly ofRepository: readonly number[];
  readonly ofFile: readonly number[];
  readonly inPrefix: string;
}

/** The text matters more, so headers that would take much of a short context are left out. */
function headersWithin(
  room: number,
  format: FillInTheMiddleFormat,
  encode: PartEncoder,
  { file, repository }: FillInTheMiddleParts,
): Headers {
  const { headers } = format;
  const none = { ofRepository: [], ofFile: [], inPrefix: '' };
  if (!headers || !file) return none;
  const ofRepository = repository ? headerIds(format, encode, headers.repository, repository) : [];
  const ofFile = headerIds(format, encode, headers.file, file);
  const inPrefix = filled(headers.inPrefix, file);
  const length = ofRepository.length + ofFile.length + encode.text(inPrefix).length;
  return length <= room ? { ofRepository, ofFile, inPrefix } : none;
}

function othersWithin(
  room: number,
  format: FillInTheMiddleFormat,
  encode: PartEncoder,
  others: readonly OtherFile[],
): readonly number[] {
  let ids: readonly number[] = [];
  for (const { file, text } of others.toReversed()) {
    const other = [...headerIds(format, encode, format.headers!.file, file), ...encode.text(text)];
    if (other.length + ids.length > room) break;
    ids = [...other, ...ids];
  }
  return ids;
}

/** The token that opens a header, if it has one, and its text with the name. */
function headerIds({ stops }: FillInTheMiddleFormat, encode: PartEncoder, header: string, name: string): readonly number[] {
  const token = stops.find((stop) => header.startsWith(stop)) ?? '';
  return [...encode.marker(token || null), ...encode.text(filled(header.slice(token.length), name))];
}

function filled(header: string, name: string): string {
  return header.replace('{}', () => name);
}

/**
 * Encodes header and text together, so that they are tokenized as one text; if it is too long, the beginning of the text is
 * dropped.
 */
function prefixWithin(room: number, encode: PartEncoder, header: string, text: string): readonly number[] {
  const ids = encode.text(header + text);
  const kept = encode.text(header).length;
  return [...ids.slice(0, kept), ...ids.slice(Math.max(kept, ids.length - room + kept))];
}
