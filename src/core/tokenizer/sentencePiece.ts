/**
 * @file A tokenizer.model of SentencePiece (https://github.com/google/sentencepiece, src/sentencepiece_model.proto), converted to
 * the tokenizer.json that gives the same ids.
 */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { TokenizerParts } from './huggingFace.js';
import {
  addedTokens,
  bpeOfPieces,
  isOfText,
  pieceType,
  spaceLayout,
  surrounded,
  textEnd,
  textStart,
  type Pieces,
  type Surround,
} from './pieces.js';
import { base64 } from './base64.js';
import { readMessage, type Message } from './protobuf.js';
import { corrupt, neverScore, type Component, type UnigramModel } from './tokenizerFile.js';

/** Throws UserError('file-corrupt' or 'file-unsupported') naming the file. */
export function partsFromSentencePiece(bytes: Uint8Array, surround: Surround, file: string): TokenizerParts {
  const model = readMessage(bytes, (defect) => corrupt(file, defect));
  const trainer = model.message(field.trainer);
  const pieces = readPieces(model, trainer, file);
  const { tokens, types } = pieces;
  const control = (name: number, fallback: string) => {
    const token = trainer.text(name) ?? fallback;
    return types[tokens.indexOf(token)] === pieceType.control ? token : null;
  };
  const specialTokens = {
    bos: control(trainerField.bosPiece, '<s>'),
    eos: control(trainerField.eosPiece, '</s>'),
    pad: control(trainerField.padPiece, '<pad>'),
    unknown: tokens[types.indexOf(pieceType.unknown)] ?? null,
    stopIds: [],
  };
  const { bos, eos } = specialTokens;
  const userDefined = tokens.filter((_, id) => types[id] === pieceType.userDefined);
  const tokenizer = {
    model: modelOf(trainer.integer(trainerField.modelType) ?? modelType.unigram, pieces, file),
    ...spaceLayout({ ...spaceRules(model.message(field.normalizer), file), unprefixed: userDefined }),
    pre_tokenizer: null,
    post_processor: surrounded(surround.bos ? bos : null, surround.eos ? eos : null, (token) => tokens.indexOf(token)),
    added_tokens: addedTokens(tokens, types, { normalized: true }),
  };
  return { file, tokenizer, specialTokens, chatTemplate: null };
}

const field = { pieces: 1, trainer: 2, normalizer: 3 } as const;
const pieceField = { text: 1, score: 2, type: 3 } as const;
const trainerField = { modelType: 3, spacesAsSuffix: 24, byteFallback: 35, bosPiece: 46, eosPiece: 47, padPiece: 48 } as const;
const normalizerField = { charactersMap: 2, addDummyPrefix: 3, removeExtraSpaces: 4, escapeSpaces: 5 } as const;
const modelType = { unigram: 1, bpe: 2 } as const;

function readPieces(model: Message, trainer: Message, file: string): Pieces {
  const entries = model.messages(field.pieces);
  if (entries.length === 0) throw corrupt(file, t`it has no vocabulary`);
  if (trainer.flag(trainerField.spacesAsSuffix) === true) throw unsupported(file, t`spaces at the end of words`);
  const scores = entries.map((entry) => entry.float(pieceField.score) ?? 0);
  if (!scores.every(Number.isFinite)) throw corrupt(file, t`it has a score that is no number`);
  return {
    tokens: entries.map((entry) => entry.text(pieceField.text) ?? ''),
    scores,
    types: entries.map((entry) => entry.integer(pieceField.type)),
    byteFallback: trainer.flag(trainerField.byteFallback) ?? false,
  };
}

function modelOf(type: number, pieces: Pieces, file: string): object {
  if (type === modelType.bpe) return bpeOfPieces(pieces, file);
  if (type === modelType.unigram) return unigramOfPieces(pieces, file);
  throw unsupported(file, t`whole words or single characters as tokens`);
}

function unigramOfPieces(pieces: Pieces, file: string): UnigramModel {
  const { tokens, scores, types, byteFallback } = pieces;
  const unknownId = types.indexOf(pieceType.unknown);
  if (unknownId < 0) throw corrupt(file, t`it has no token for what it does not know`);
  const vocab = tokens.map((token, id): [string, number] => [token, isOfText(pieces, id) ? scores[id]! : neverScore]);
  return { type: 'Unigram', vocab, unk_id: unknownId, byte_fallback: byteFallback };
}

function spaceRules(normalizer: Message, file: string): { addPrefix: boolean; steps: Component[] } {
  if (normalizer.flag(normalizerField.escapeSpaces) === false) throw unsupported(file, t`spaces inside its tokens`);
  const charactersMap = normalizer.bytes(normalizerField.charactersMap) ?? new Uint8Array();
  const map: Component[] = charactersMap.length ? [{ type: 'Precompiled', precompiled_charsmap: base64(charactersMap) }] : [];
  const removesSpaces = normalizer.flag(normalizerField.removeExtraSpaces) ?? true;
  return {
    addPrefix: normalizer.flag(normalizerField.addDummyPrefix) ?? true,
    steps: [...map, ...(removesSpaces ? removeExtraSpaces : [])],
  };
}

const replace = (pattern: string, content: string): Component => ({ type: 'Replace', pattern: { Regex: pattern }, content });
const removeExtraSpaces = [replace(`${textStart} +| +${textEnd}`, ''), replace(' {2,}', ' ')];

function unsupported(file: string, what: string): UserError {
  return new UserError('file-unsupported', t`${file} is a SentencePiece tokenizer with ${what}, which is not read.`);
}
