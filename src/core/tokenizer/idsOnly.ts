import type { UserError } from '../errors.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * Replaces a tokenizer that is missing or unreadable: ids are shown as numbers, and whatever needs text throws `problem`. This is
 * enough to train on ids that were made elsewhere.
 */
export function idsOnly(vocabSize: number, problem: UserError): Tokenizer {
  const needsText = () => {
    throw problem;
  };
  return {
    vocabSize,
    bosId: null,
    eosId: null,
    stopIds: [],
    padId: 0,
    specialIds: [],
    hasChatTemplate: false,
    encode: needsText,
    streamDecoder: needsText,
    applyChatTemplate: needsText,
    decode: (ids) => [...ids].join(' '),
    tokenText: String,
    tokenId: () => undefined,
  };
}
