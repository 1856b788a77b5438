/** @file A vocabulary of SentencePiece in the parts of a tokenizer.json that Hugging Face would make of it. */
import { sentencePieceMerges } from './sentencePieceMerges.js';
import type { AddedToken, BpeModel, Component } from './tokenizerFile.js';

/** Kinds of pieces (sentencepiece_model.proto); llama.cpp's tokenizer.ggml.token_type has the same values. */
export const pieceType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Pieces {
  readonly tokens: readonly string[];
  readonly scores: readonly number[];
  /** Undefined means normal. */
  readonly types: readonly (number | undefined)[];
  readonly byteFallback: boolean;
}

/** Whether text may become this piece, other than as a byte. */
export function isOfText({ types }: Pick<Pieces, 'types'>, id: number): boolean {
  return types[id] === undefined || types[id] === pieceType.normal || types[id] === pieceType.userDefined;
}

export function bpeOfPieces(pieces: Pieces, file: string): BpeModel {
  const { tokens, scores, types, byteFallback } = pieces;
  return {
    type: 'BPE',
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges: sentencePieceMerges(tokens, scores, (id) => isOfText(pieces, id), file),
    byte_fallback: byteFallback,
    fuse_unk: true,
    unk_token: tokens[types.indexOf(pieceType.unknown)] ?? null,
  };
}

/** Tokens that are found in a text before it is divided into pieces. `normalized` is for those that are not control tokens. */
export function addedTokens(
  tokens: readonly string[],
  types: readonly (number | undefined)[],
  { normalized }: { readonly normalized: boolean },
): AddedToken[] {
  const added: readonly (number | undefined)[] = [pieceType.unknown, pieceType.control, pieceType.userDefined];
  return tokens.flatMap((content, id) => {
    if (!added.includes(types[id])) return [];
    const isText = types[id] === pieceType.userDefined;
    return [{ id, content, special: !isText, normalized: isText && normalized }];
  });
}

interface SpaceRules {
  /** Whether a text gets a space before its first word. */
  readonly addPrefix: boolean;
  /** What is done to a text before that. */
  readonly steps: readonly Component[];
  /** Texts that get no space: user-defined tokens, because a tokenizer looks for them in the form that they take here. */
  readonly unprefixed: readonly string[];
}

/** Spaces are written ▁. */
export function spaceLayout({ addPrefix, steps, unprefixed }: SpaceRules): { normalizer: Component; decoder: Component } {
  const prefix = unprefixed.length === 0 ? prependSpace : prependSpaceUnless(unprefixed);
  const normalizers = [...steps, ...(addPrefix ? [prefix] : []), spaceToMeta];
  const decoders = [metaToSpace, { type: 'ByteFallback' }, { type: 'Fuse' }, ...(addPrefix ? [stripSpace] : [])];
  return { normalizer: { type: 'Sequence', normalizers }, decoder: { type: 'Sequence', decoders } };
}

const prependSpace: Component = { type: 'Prepend', prepend: '▁' };
const spaceToMeta: Component = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const metaToSpace: Component = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
const stripSpace: Component = { type: 'Strip', content: ' ', start: 1, stop: 0 };

function prependSpaceUnless(texts: readonly string[]): Component {
  const quoted = texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return { type: 'Replace', pattern: { Regex: `${textStart}(?=${any})(?!(?:${quoted.join('|')})${textEnd})` }, content: '▁' };
}

const any = String.raw`[\s\S]`;
/** ^ and $ mean the ends of lines to the reference tokenizer. */
export const textStart = `(?<!${any})`;
export const textEnd = `(?!${any})`;

/** Whether texts get BOS and EOS. */
export interface Surround {
  readonly bos: boolean;
  readonly eos: boolean;
}

/** Puts BOS and EOS around a text; `idOf` knows the id of each. */
export function surrounded(bos: string | null, eos: string | null, idOf: (token: string) => number): Component | null {
  if (bos === null && eos === null) return null;
  const special = (token: string | null, type_id: number) => (token === null ? [] : [{ SpecialToken: { id: token, type_id } }]);
  const text = (id: 'A' | 'B', type_id: number) => [
    ...special(bos, type_id),
    { Sequence: { id, type_id } },
    ...special(eos, type_id),
  ];
  const tokens = [bos, eos].filter((token) => token !== null);
  const special_tokens = Object.fromEntries(tokens.map((token) => [token, { id: token, ids: [idOf(token)], tokens: [token] }]));
  return { type: 'TemplateProcessing', single: text('A', 0), pair: [...text('A', 0), ...text('B', 1)], special_tokens };
}
