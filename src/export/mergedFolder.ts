/** @file A merged model as a Hugging Face folder. */
import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { safetensorsHeader } from '../core/formats/safetensors.js';
import { configFromHuggingFace, configJson } from '../core/models/registry.js';
import { sameModel } from '../core/models/sameModel.js';
import { createTokenizer } from '../core/tokenizer/huggingFace.js';
import { tokenizerFolderFiles } from '../core/tokenizer/toFolder.js';
import { openForPieces, writeFlushed } from '../files/atomicWrite.js';
import { readJsonFile } from '../files/jsonFile.js';
import { openModel } from '../files/openModel.js';
import { readTokenizerParts } from '../files/tokenizerFiles.js';
import { t } from '../l10n/text.js';
import { modelName } from '../protocol/modelName.js';
import type { ExportDType } from '../protocol/export.js';
import type { Advance, ExportContext, Written } from './exportContext.js';
import { mergedWeights } from './mergedWeights.js';
import { encodedBlocks, plainType, plannedWeights, type PlannedWeight } from './plannedWeights.js';

/** As transformers splits models by default. */
const largestShard = 5e9;

/** What a model folder holds besides weights and config.json. */
const companions =
  /^(generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\.json$|^(merges\.txt|tokenizer\.model|chat_template\.jinja)$|^(license|notice)/i;

type Json = Readonly<Record<string, unknown>>;

export function mergedFolder(context: ExportContext, shardBytes = largestShard): Written {
  const weights = plannedWeights(context.model.weights.config, 'huggingFace', context.dtype);
  const files = isHuggingFace(context) ? adjustedConfig(context) : newFiles(context);
  return {
    sizeBytes: weights.reduce((sum, { byteLength }) => sum + byteLength, 0),
    async write(folder, advance) {
      for (const [name, json] of Object.entries(files)) writeJson(join(folder, name), json);
      if (isHuggingFace(context)) copyCompanions(context.model.path, folder);
      await writeShards(folder, shardsOf(weights, shardBytes), context, advance);
    },
    open: (folder) => ({ weights: openModel(folder).weights, adapter: null, isOwn: true }),
  };
}

function isHuggingFace({ model }: ExportContext): boolean {
  return existsSync(join(model.path, 'config.json'));
}

const torchTypes: Partial<Record<ExportDType, string>> = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' };

/** The base's own config.json, with the type that the weights have now. */
function adjustedConfig({ model, dtype }: ExportContext): Record<string, Json> {
  const config = readJsonFile(join(model.path, 'config.json')) as Json;
  const key = 'dtype' in config ? 'dtype' : 'torch_dtype';
  return { 'config.json': { ...config, [key]: torchTypes[dtype] } };
}

function copyCompanions(from: string, to: string): void {
  for (const name of readdirSync(from)) if (companions.test(name)) copyFileSync(join(from, name), join(to, name));
}

/** For a base that is no Hugging Face folder. Throws UserError if config.json cannot say what the model is. */
function newFiles({ model, dtype }: ExportContext): Record<string, Json> {
  const { config } = model.weights;
  const parts = readTokenizerParts(model.tokenizerSource);
  const tokenizer = createTokenizer(parts);
  const files = tokenizerFolderFiles(parts, tokenizer);
  const json = { ...configJson(config), ...files['generation_config.json'], torch_dtype: torchTypes[dtype] };
  if (!sameModel(configFromHuggingFace(json, 'config.json'), config)) {
    const message = t`A config.json cannot express all settings of ${modelName(model.path)}. Export it as GGUF.`;
    throw new UserError('file-unsupported', message);
  }
  return { ...files, 'config.json': json };
}

function writeJson(path: string, json: Json): void {
  writeFlushed(path, `${JSON.stringify(json, null, 2)}\n`);
}

function shardsOf(weights: readonly PlannedWeight[], shardBytes: number): PlannedWeight[][] {
  const shards: PlannedWeight[][] = [];
  let room = 0;
  for (const weight of weights) {
    if (weight.byteLength > room) {
      shards.push([]);
      room = shardBytes;
    }
    shards.at(-1)!.push(weight);
    room -= weight.byteLength;
  }
  return shards;
}

async function writeShards(
  folder: string,
  shards: readonly PlannedWeight[][],
  context: ExportContext,
  advance: Advance,
): Promise<void> {
  const five = (index: number): string => String(index).padStart(5, '0');
  const nameOf = (index: number): string =>
    shards.length === 1 ? 'model.safetensors' : `model-${five(index + 1)}-of-${five(shards.length)}.safetensors`;
  for (const [index, shard] of shards.entries()) await writeShard(join(folder, nameOf(index)), shard, context, advance);
  if (shards.length === 1) return;
  const total = shards.flat().reduce((sum, { byteLength }) => sum + byteLength, 0);
  const map = Object.fromEntries(shards.flatMap((shard, index) => shard.map(({ name }) => [name, nameOf(index)])));
  writeJson(join(folder, 'model.safetensors.index.json'), { metadata: { total_size: total }, weight_map: map });
}

async function writeShard(
  path: string,
  weights: readonly PlannedWeight[],
  { model, adapter, strength, dtype }: ExportContext,
  advance: Advance,
): Promise<void> {
  const source = mergedWeights(model.weights, adapter, strength);
  const file = openForPieces(path);
  try {
    const type = plainType(dtype);
    const tensors = weights.map(({ name, spec }) => ({ name, type, shape: spec.shape }));
    file.write(safetensorsHeader(tensors, { format: 'pt' }));
    for (const weight of weights) {
      for (const bytes of encodedBlocks(source, weight, 'huggingFace')) {
        file.write(bytes);
        await advance(bytes.length);
      }
    }
    file.finish();
  } finally {
    file.close();
  }
}
