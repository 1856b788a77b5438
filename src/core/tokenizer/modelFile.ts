import type { TokenizerParts } from './huggingFace.js';
import type { Surround } from './pieces.js';
import { partsFromSentencePiece } from './sentencePiece.js';
import { isTiktoken, partsFromTiktoken, type Llama3Version } from './tiktoken.js';

/** Meta's code begins every text with BOS. */
const usual: Surround = { bos: true, eos: false };

/** A tokenizer.model, of whichever kind. Throws UserError('file-corrupt' or 'file-unsupported') naming the file. */
export function partsFromModelFile(bytes: Uint8Array, llama3: Llama3Version, file: string, surround = usual): TokenizerParts {
  return isTiktoken(bytes) ? partsFromTiktoken(bytes, llama3, surround, file) : partsFromSentencePiece(bytes, surround, file);
}
