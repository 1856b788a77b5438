import type { Tokenizer as Encoder } from '@huggingface/tokenizers';
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { ChatTemplate } from './chatTemplate.js';
import { createEncoder } from './createEncoder.js';
import { TokenBytes, type Spelling } from './tokenBytes.js';
import type { Tokenizer } from './tokenizer.js';
import { checkTokenizerFile, corrupt, type Component, type TokenizerFile } from './tokenizerFile.js';

/** Everything that defines a tokenizer, whichever file it came from. */
export interface TokenizerParts {
  /** Shown in messages. */
  readonly file: string;
  /** The parsed tokenizer.json. */
  readonly tokenizer: unknown;
  readonly specialTokens: SpecialTokens;
  readonly chatTemplate: string | null;
}

/** Special tokens, given by their text in the vocabulary. */
export interface SpecialTokens {
  readonly bos: string | null;
  readonly eos: string | null;
  readonly pad: string | null;
  readonly unknown: string | null;
  /** Additional tokens that end generation. */
  readonly stopIds: readonly number[];
}

/** Throws UserError('file-corrupt' or 'file-unsupported') naming the file. */
export function createTokenizer(parts: TokenizerParts): Tokenizer {
  const file = checkTokenizerFile(parts.tokenizer, parts.file);
  try {
    return new HuggingFaceTokenizer(file, parts);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw corrupt(parts.file, error instanceof Error ? error.message : String(error));
  }
}

class HuggingFaceTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly bosId: number | null;
  readonly eosId: number | null;
  readonly stopIds: readonly number[];
  readonly padId: number;
  readonly specialIds: readonly number[];
  private readonly encoder: Encoder;
  private readonly bytes: TokenBytes;
  private readonly chatTemplate: ChatTemplate | null;

  constructor(file: TokenizerFile, parts: TokenizerParts) {
    this.encoder = createEncoder(file);
    const addedIds = new Set(file.added_tokens.map(({ id }) => id));
    const specialIds = new Set(file.added_tokens.filter(({ special }) => special).map(({ id }) => id));
    this.vocabSize = 1 + highest(Object.values(file.model.vocab), addedIds);
    this.bytes = new TokenBytes(
      spelling(file.decoder, parts.file),
      (id) => this.encoder.id_to_token(id),
      (id) => addedIds.has(id),
      (id) => specialIds.has(id),
    );
    const { bos, eos, pad, unknown, stopIds } = parts.specialTokens;
    this.bosId = this.idOf(bos);
    this.eosId = this.idOf(eos);
    this.padId = this.idOf(pad) ?? this.eosId ?? 0;
    this.stopIds = [...new Set([...(this.eosId === null ? [] : [this.eosId]), ...stopIds])].filter((id) => id < this.vocabSize);
    this.specialIds = [...specialIds];
    const names = Object.entries({ bos_token: bos, eos_token: eos, pad_token: pad, unk_token: unknown });
    const named = Object.fromEntries(names.filter((entry): entry is [string, string] => entry[1] !== null));
    this.chatTemplate = parts.chatTemplate === null ? null : new ChatTemplate(parts.chatTemplate, named, parts.file);
    this.probe(parts.file);
  }

  get hasChatTemplate(): boolean {
    return this.chatTemplate !== null;
  }

  encode(text: string, { addSpecialTokens = true } = {}): Int32Array {
    return Int32Array.from(this.encoder.encode(text, { add_special_tokens: addSpecialTokens }).ids);
  }

  decode: Tokenizer['decode'] = (ids, options) => this.bytes.decode(ids, options);
  streamDecoder: Tokenizer['streamDecoder'] = (options) => this.bytes.stream(options);
  tokenText: Tokenizer['tokenText'] = (id) => this.bytes.show(id);
  tokenId: Tokenizer['tokenId'] = (token) => this.encoder.token_to_id(token);

  applyChatTemplate: Tokenizer['applyChatTemplate'] = (messages, options) => {
    if (this.chatTemplate) return this.chatTemplate.render(messages, options);
    throw new UserError(
      'model-unsupported',
      t`This model has no chat template, so it has not learned any layout of conversations. Choose an instruct or chat model, or alpaca data.`,
    );
  };

  private idOf(token: string | null): number | null {
    return (token === null ? undefined : this.tokenId(token)) ?? null;
  }

  /** A post-processor may name tokens that do not exist, for which the library would return `undefined`. */
  private probe(file: string): void {
    const { ids, tokens } = this.encoder.encode('a 1\n');
    const index = ids.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= this.vocabSize);
    if (index >= 0) throw corrupt(file, t`it makes the token ${JSON.stringify(tokens[index])}, which the vocabulary lacks`);
  }
}

function highest(...lists: readonly Iterable<number>[]): number {
  let result = 0;
  for (const list of lists) for (const id of list) result = Math.max(result, id);
  return result;
}

function spelling(decoder: Component | null, file: string): Spelling {
  const steps = decoder?.type === 'Sequence' ? (decoder.decoders as Component[]) : decoder ? [decoder] : [];
  const has = (type: string) => steps.some((step) => step.type === type);
  if (has('ByteLevel')) return { kind: 'byte-level' };
  if (has('Metaspace')) {
    const never = steps.some((step) => step.prepend_scheme === 'never' || step.add_prefix_space === false);
    return { kind: 'sentencepiece', stripLeadingSpace: !never };
  }
  if (has('ByteFallback') || has('Replace')) return { kind: 'sentencepiece', stripLeadingSpace: has('Strip') };
  throw new UserError(
    'file-unsupported',
    t`${file} has a decoder of the type ${JSON.stringify(decoder?.type ?? null)}; ByteLevel and SentencePiece-like ones are read.`,
  );
}
