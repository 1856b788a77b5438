import type { UserError } from '../errors.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * In the place of a tokenizer that is not there or cannot be read: ids are shown as their numbers, and whatever needs text throws the
 * problem. Enough to train on ids that were made elsewhere.
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
