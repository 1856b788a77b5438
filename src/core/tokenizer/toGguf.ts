/** @file A tokenizer as GGUF metadata: the inverse of gguf.ts, checked by reading it back. */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { GgufValue } from '../formats/gguf.js';
import { ggufValue, type GgufMetadata } from '../formats/ggufHeader.js';
import { tokenizerFromGguf, tokenType } from './gguf.js';
import { preTokenizerNames } from './ggufPreTokenizers.js';
import { createTokenizer, type TokenizerParts } from './huggingFace.js';
import type { Tokenizer } from './tokenizer.js';
import { checkTokenizerFile, type TokenizerFile } from './tokenizerFile.js';

/**
 * The tokenizer.* entries for a model with `vocabSize` embeddings. Throws UserError('file-unsupported') if llama.cpp cannot make
 * the same ids.
 */
export function tokenizerInGguf(parts: TokenizerParts, vocabSize: number): GgufMetadata {
  const file = checkTokenizerFile(parts.tokenizer, parts.file);
  const tokenizer = createTokenizer(parts);
  if (tokenizer.vocabSize > vocabSize) {
    const message = t`${parts.file} has ${tokenizer.vocabSize} tokens, but the model has embeddings for ${vocabSize}.`;
    throw new UserError('file-corrupt', message);
  }
  const common = { ...vocabulary(file, vocabSize), ...specialTokens(parts, tokenizer) };
  const candidates = isByteLevel(file) ? byteLevelCandidates(file) : [sentencePiece(file, tokenizer, vocabSize)];
  for (const candidate of candidates) {
    const entries = { ...common, ...candidate };
    if (makesTheSameIds(entries, tokenizer, parts.file)) return encoded(entries);
  }
  throw new UserError(
    'file-unsupported',
    t`${parts.file} splits text into tokens by rules that GGUF cannot express. Export the model as "merged", which is a Hugging Face folder.`,
  );
}

/** Values by the key after `tokenizer.`. */
type Entries = Readonly<Record<string, GgufValue>>;

function isByteLevel({ decoder }: TokenizerFile): boolean {
  return JSON.stringify(decoder).includes('"ByteLevel"');
}

function vocabulary({ model, added_tokens: added }: TokenizerFile, vocabSize: number): Entries {
  // llama.cpp wants a token for each row of the embeddings.
  const tokens = Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`);
  const types: number[] = tokens.map(() => tokenType.unused);
  const isPieces = Boolean(model.byte_fallback);
  for (const [token, id] of Object.entries(model.vocab)) {
    tokens[id] = token;
    types[id] = isPieces && /^<0x[0-9A-F]{2}>$/.test(token) ? tokenType.byte : tokenType.normal;
  }
  for (const { id, content, special } of added) {
    tokens[id] = content;
    types[id] = special ? tokenType.control : tokenType.userDefined;
  }
  const unknown = model.unk_token == null ? undefined : model.vocab[model.unk_token];
  if (isPieces && unknown !== undefined) types[unknown] = tokenType.unknown;
  return { 'ggml.tokens': tokens, 'ggml.token_type': types };
}

function specialTokens({ specialTokens: names, chatTemplate }: TokenizerParts, tokenizer: Tokenizer): Entries {
  const { bosId, eosId, stopIds } = tokenizer;
  const named = (name: string | null): number | undefined => (name === null ? undefined : tokenizer.tokenId(name));
  const ids = {
    'ggml.bos_token_id': bosId ?? undefined,
    'ggml.eos_token_id': eosId ?? undefined,
    'ggml.eot_token_id': stopIds.find((id) => id !== eosId),
    'ggml.padding_token_id': named(names.pad),
    'ggml.unknown_token_id': named(names.unknown),
  };
  const surrounded = [...tokenizer.encode('a')];
  return {
    ...Object.fromEntries(Object.entries(ids).filter((entry): entry is [string, number] => entry[1] !== undefined)),
    'ggml.add_bos_token': bosId !== null && surrounded[0] === bosId,
    'ggml.add_eos_token': eosId !== null && surrounded.length > 1 && surrounded.at(-1) === eosId,
    ...(chatTemplate !== null && { chat_template: chatTemplate }),
  };
}

/** One for each way in which llama.cpp splits text into words. */
function byteLevelCandidates({ model }: TokenizerFile): Entries[] {
  const merges = model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')));
  return preTokenizerNames.map((pre) => ({ 'ggml.model': 'gpt2', 'ggml.pre': pre, 'ggml.merges': merges }));
}

/** A piece that was merged earlier scores higher; all ways to the same piece have one score, as in SentencePiece. */
function sentencePiece({ model }: TokenizerFile, tokenizer: Tokenizer, vocabSize: number): Entries {
  const scores = new Array<number>(vocabSize).fill(0);
  model.merges.forEach((merge, rank) => {
    const piece = (typeof merge === 'string' ? merge.split(' ') : merge).join('');
    scores[model.vocab[piece]!] ||= -(rank + 1);
  });
  const addsSpace = tokenizer.decode(tokenizer.encode('a', { addSpecialTokens: false }), { continuation: true }).startsWith(' ');
  return { 'ggml.model': 'llama', 'ggml.scores': scores, 'ggml.add_space_prefix': addsSpace };
}

/** Texts that tell the known rules apart: contractions, digits, scripts, runs of spaces and of line ends. */
const probes = [
  "It's we're THEY'LL I'd don't, 'tis 12345 67 ½ ² ١٢٣ １２３ 3.14e-10",
  'def add(a, b):\n    return a + b\n\n\n\tif (x !== null) y += x ** 2; // ok?\r\n  \n   x',
  'Ça va déjà été e\u0301 ﬁ 今天天气很好，我们去公园散步。日本語のテキスト 한국어 😀👨‍👩‍👧 مرحبا Привет_мир',
  ' leading  and trailing   ',
  'a\u00a0b\u3000c\u2028d\u0085e camelCase snake_case HTTPServer https://example.org/a?b=c&d=%20#e',
];

function makesTheSameIds(entries: Entries, tokenizer: Tokenizer, file: string): boolean {
  const metadata = new Map(Object.entries(entries).map(([key, value]) => [`tokenizer.${key}`, value]));
  const written = tokenizerFromGguf(metadata, file);
  return probes.every((text) => written.encode(text).join() === tokenizer.encode(text).join());
}

function encoded(entries: Entries): GgufMetadata {
  return new Map(Object.entries(entries).map(([key, value]) => [`tokenizer.${key}`, encodedValue(key, value)]));
}

function encodedValue(key: string, value: GgufValue): Uint8Array {
  if (typeof value === 'boolean') return ggufValue.bool(value);
  if (typeof value === 'number') return ggufValue.uint32(value);
  if (typeof value === 'string') return ggufValue.string(value);
  const list = value as readonly unknown[];
  if (typeof list[0] === 'string') return ggufValue.strings(list as string[]);
  return key === 'ggml.scores' ? ggufValue.float32s(list as number[]) : ggufValue.int32s(list as number[]);
}
