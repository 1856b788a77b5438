/** @file A tokenizer as the files of a Hugging Face folder, for models that came without them. */
import type { SpecialTokens, TokenizerParts } from './huggingFace.js';
import type { Tokenizer } from './tokenizer.js';
import { checkTokenizerFile, type AddedToken, type Component, type TokenizerFile } from './tokenizerFile.js';

type Json = Readonly<Record<string, unknown>>;

/** tokenizer.json, tokenizer_config.json and generation_config.json by name. */
export function tokenizerFolderFiles(parts: TokenizerParts, { bosId, eosId, stopIds }: Tokenizer): Record<string, Json> {
  const file = checkTokenizerFile(parts.tokenizer, parts.file);
  return {
    'tokenizer.json': completeFile(file),
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...tokenNames(parts.specialTokens),
      clean_up_tokenization_spaces: false,
      ...(parts.chatTemplate !== null && { chat_template: parts.chatTemplate }),
    },
    'generation_config.json': {
      ...(bosId !== null && { bos_token_id: bosId }),
      ...(eosId !== null && { eos_token_id: stopIds.length > 1 ? stopIds : eosId }),
    },
  };
}

function tokenNames({ bos, eos, pad, unknown }: SpecialTokens): Json {
  const names = { bos_token: bos, eos_token: eos, pad_token: pad, unk_token: unknown };
  return Object.fromEntries(Object.entries(names).filter(([, token]) => token !== null));
}

/** The reference library reads no file that leaves a setting out. */
function completeFile(file: TokenizerFile): Json {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: file.added_tokens.map(completeToken),
    normalizer: file.normalizer,
    pre_tokenizer: file.pre_tokenizer && completeComponent(file.pre_tokenizer),
    post_processor: file.post_processor && completeTemplate(file.post_processor, file),
    decoder: file.decoder && completeComponent(file.decoder),
    model: {
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      ...file.model,
    },
  };
}

function completeToken(token: AddedToken): AddedToken {
  return { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false, ...token };
}

function completeComponent(component: Component): Component {
  if (component.type === 'ByteLevel') return { add_prefix_space: false, trim_offsets: true, use_regex: true, ...component };
  const steps = component.pretokenizers as Component[] | undefined;
  return steps ? { ...component, pretokenizers: steps.map(completeComponent) } : component;
}

interface TemplatePiece {
  readonly SpecialToken?: { readonly id: string };
}

/** A template names the ids of its tokens, and what it makes of a pair of texts. */
function completeTemplate(processor: Component, { model, added_tokens }: TokenizerFile): Component {
  if (processor.type !== 'TemplateProcessing' || 'special_tokens' in processor) return processor;
  const single = processor.single as TemplatePiece[];
  const names = single.flatMap(({ SpecialToken: token }) => token?.id ?? []);
  const idOf = (name: string): number => added_tokens.find(({ content }) => content === name)?.id ?? model.vocab[name]!;
  return {
    ...processor,
    pair: [...single, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: Object.fromEntries(names.map((name) => [name, { id: name, ids: [idOf(name)], tokens: [name] }])),
  };
}
