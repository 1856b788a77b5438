/**
 * Writes a GGUF file of a published shape with random weights in Q4_0, for bench/train.ts --model. The 8B file takes 4.5 GB;
 * delete it afterwards.
 *   npx tsx bench/large_model.ts FILE [--shape llama-3.1-8b]
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { ModelConfig } from '../src/core/models/config.js';
import { weightTable } from '../src/core/models/weightTable.js';
import { Random } from '../src/core/random.js';
import { elementCount } from '../src/core/shape.js';
import { shapes } from './shapes.js';
import { f32, ggufFile, text, u32, type GgufTensorParts } from '../test/unit/formats/ggufFile.js';

const { values, positionals } = parseArgs({
  options: { shape: { type: 'string', default: 'llama-3.1-8b' } },
  allowPositionals: true,
});
const config: ModelConfig = shapes[values.shape as keyof typeof shapes];
const [f32Type, q4Type] = [0, 2];

const parts = ['attn_norm', 'ffn_norm', 'attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'];
const names = [
  'token_embd.weight',
  ...Array.from({ length: config.layerCount }, (_, layer) => parts.map((part) => `blk.${layer}.${part}.weight`)).flat(),
  'output_norm.weight',
  ...(config.tiedEmbeddings ? [] : ['output.weight']),
];

function main(): void {
  const shapesOf = new Map(weightTable(config).all.map(({ ggufName, shape }) => [ggufName, shape]));
  let offset = 0;
  const placed = names.map((name): GgufTensorParts & { byteLength: number } => {
    const shape = shapesOf.get(name)!;
    const elements = elementCount(shape);
    const byteLength = shape.length === 1 ? 4 * elements : (elements / 32) * 18;
    const tensor = { name, lengths: [...shape].reverse(), type: shape.length === 1 ? f32Type! : q4Type!, offset, byteLength };
    offset = Math.ceil((offset + byteLength) / 32) * 32;
    return tensor;
  });
  const file = openSync(positionals[0]!, 'w');
  const header = ggufFile({ metadata: metadata(), tensors: placed, dataLength: 32 }).subarray(0, -32);
  writeSync(file, header);
  const blocks = randomBlocks(2 ** 16);
  for (const { type, offset: at, byteLength } of placed) {
    const pattern = type === q4Type ? blocks : new Uint8Array(new Float32Array(2 ** 16).fill(1).buffer);
    for (let done = 0; done < byteLength; done += pattern.length) {
      const length = Math.min(pattern.length, byteLength - done);
      writeSync(file, pattern, 0, length, header.length + at + done);
    }
  }
  closeSync(file);
}

function metadata(): [string, number, Uint8Array][] {
  const whole = (key: string, value: number): [string, number, Uint8Array] => [`llama.${key}`, 4, u32(value)];
  const real = (key: string, value: number): [string, number, Uint8Array] => [`llama.${key}`, 6, f32(value)];
  return [
    ['general.architecture', 8, text('llama')],
    whole('embedding_length', config.hiddenSize),
    whole('feed_forward_length', config.intermediateSize),
    whole('block_count', config.layerCount),
    whole('attention.head_count', config.headCount),
    whole('attention.head_count_kv', config.keyValueHeadCount),
    whole('attention.key_length', config.headDim),
    whole('context_length', config.contextLength),
    real('attention.layer_norm_rms_epsilon', config.rmsNormEpsilon),
    real('rope.freq_base', config.attentionKinds[0]!.rope!.theta),
  ];
}

/** Random Q4_0 blocks at the scale of the usual initialisation. */
function randomBlocks(count: number): Uint8Array {
  const random = new Random(1);
  const bytes = Uint8Array.from({ length: 18 * count }, () => Math.floor(256 * random.uniform()));
  for (let at = 0; at < bytes.length; at += 18) bytes.set([0x1f, 0x1d], at); // 0.005 in half precision
  return bytes;
}

main();
