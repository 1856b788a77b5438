import type { TokenizerParts } from './huggingFace.js';
import { partsFromSentencePiece } from './sentencePiece.js';
import { isTiktoken, partsFromTiktoken, type Llama3Version } from './tiktoken.js';

/** A tokenizer.model, of whichever kind. Throws UserError('file-corrupt' or 'file-unsupported') naming the file. */
export function partsFromModelFile(bytes: Uint8Array, llama3: Llama3Version, file: string): TokenizerParts {
  return isTiktoken(bytes) ? partsFromTiktoken(bytes, llama3, file) : partsFromSentencePiece(bytes, file);
}
