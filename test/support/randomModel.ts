/** @file Model folders with random weights and a tokenizer, and adapters for them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loraParameters, type LoraShape } from '../../src/core/adapters/lora.js';
import type { HostTensor } from '../../src/core/formats/hostTensor.js';
import { safetensorsBytes } from '../../src/core/formats/safetensors.js';
import type { ModelConfig } from '../../src/core/models/config.js';
import { configFromHuggingFace } from '../../src/core/models/registry.js';
import { weightTable } from '../../src/core/models/weightTable.js';
import { Random } from '../../src/core/random.js';
import { elementCount } from '../../src/core/shape.js';
import { writeAdapterFolder } from '../../src/files/adapterFolder.js';

export type TokenizerKind = 'llama3' | 'qwen2' | 'sentencepiece' | 'metaspace';

/** A model like one of test/fixtures, with the vocabulary of one of test/golden/tokenizers. `adjust` may change its weights. */
export function writeRandomModel(
  folder: string,
  like: string,
  tokenizer: TokenizerKind,
  changes: Record<string, unknown> = {},
  adjust: (name: string, values: Float32Array) => void = () => undefined,
): ModelConfig {
  const tokenizerJson = tokenizer === 'qwen2' ? qwen2Tokenizer() : goldenTokenizer(tokenizer);
  const vocab_size = Object.keys(tokenizerJson.model.vocab).length;
  const fixture = JSON.parse(readFileSync(`test/fixtures/models/${like}/config.json`, 'utf8')) as object;
  const json = { ...fixture, ...changes, vocab_size, bos_token_id: 1, eos_token_id: 2 };
  const config = configFromHuggingFace(json, 'config.json');
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: unknown): void => writeFileSync(join(folder, name), JSON.stringify(content));
  write('config.json', json);
  write('tokenizer.json', tokenizerJson);
  write('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: '<s>',
    eos_token: '</s>',
    unk_token: '<unk>',
    chat_template: chatMl,
  });
  const weights = randomWeights(config);
  weights.forEach(({ data }, name) => adjust(name, data));
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat(safetensorsBytes(weights, { format: 'pt' })));
  return config;
}

function goldenTokenizer(name: string): TokenizerJson {
  const golden = JSON.parse(readFileSync(`test/golden/tokenizers/${name}.json`, 'utf8')) as { tokenizer: TokenizerJson };
  return golden.tokenizer;
}

/** The bytes of one and the rules of the other: transformers gives every Qwen2 its own rules, whatever its file says. */
function qwen2Tokenizer(): TokenizerJson {
  const pattern = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
  return {
    ...goldenTokenizer('smollm'),
    normalizer: { type: 'NFC' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
  };
}

interface TokenizerJson {
  readonly model: { readonly vocab: Readonly<Record<string, number>> };
  readonly [part: string]: unknown;
}

const chatMl = `{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

/** Uniform, of a size that keeps activations and logits near 1; norms near what leaves them so. */
function randomWeights(config: ModelConfig): Map<string, HostTensor> {
  const random = new Random(5);
  return new Map(
    weightTable(config).all.map(({ name, shape, kind, lessOne }): [string, HostTensor] => {
      const isNorm = kind === 'vector' && name.includes('norm');
      const center = isNorm && !lessOne ? 1 : 0;
      const size = kind === 'vector' ? 0.2 : kind === 'table' ? 1 : 2 / Math.sqrt(shape[1]!);
      return [name, { shape, data: randomValues(elementCount(shape), random, size, center) }];
    }),
  );
}

function randomValues(count: number, random: Random, size: number, center = 0): Float32Array {
  return Float32Array.from({ length: count }, () => center + size * (2 * random.uniform() - 1));
}

/** An adapter whose effect is about as large as the weights. */
export function writeRandomAdapter(folder: string, config: ModelConfig, lora: LoraShape, baseModel: string): void {
  const random = new Random(6);
  const parameters = new Map(
    loraParameters(config, lora).map(({ name, shape }): [string, HostTensor] => [
      name,
      { shape, data: randomValues(elementCount(shape), random, 0.3) },
    ]),
  );
  writeAdapterFolder(folder, { lora, baseModel, parameters }, 0);
}
