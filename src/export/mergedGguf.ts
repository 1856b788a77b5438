/** @file A merged model as one GGUF file, with a Modelfile beside it. */
import { join } from 'node:path';
import { ggufValue, outlineGguf, type GgufMetadata } from '../core/formats/ggufHeader.js';
import { ggufRopeFactors } from '../core/models/ggufConfig.js';
import { familyOf } from '../core/models/registry.js';
import { tokenizerInGguf } from '../core/tokenizer/toGguf.js';
import { openForPieces, writeFlushed } from '../files/atomicWrite.js';
import { copyGgufMetadata, ropeFactorsName } from '../files/ggufWeights.js';
import { openModel } from '../files/openModel.js';
import { readTokenizerParts } from '../files/tokenizerFiles.js';
import type { ExportDType } from '../protocol/export.js';
import type { ExportContext, Written } from './exportContext.js';
import { mergedWeights } from './mergedWeights.js';
import { modelfile, modelfilePath } from './modelfile.js';
import { encodedBlocks, plannedWeights } from './plannedWeights.js';

/** Values of general.file_type (https://github.com/ggml-org/llama.cpp, llama_ftype). */
const fileTypes: { readonly [K in ExportDType]: number } = { f32: 0, f16: 1, q4_0: 2, q4_1: 3, q8_0: 7, bf16: 32 };
const quantizationVersion = 2;

export function mergedGguf(context: ExportContext): Written {
  const { config } = context.model.weights;
  const weights = plannedWeights(config, 'gguf', context.dtype);
  const ropeFactors = ggufRopeFactors(config);
  const tensors = [
    ...(ropeFactors ? [{ name: ropeFactorsName, type: 'F32' as const, shape: [ropeFactors.length] }] : []),
    ...weights.map(({ name, type, spec }) => ({ name, type, shape: spec.shape })),
  ];
  const { header, offsets, byteLength } = outlineGguf(new Map([...metadata(context), ...typeEntries(context.dtype)]), tensors);
  return {
    sizeBytes: byteLength,
    async write(folder, advance) {
      const path = join(folder, `${context.name}.gguf`);
      const file = openForPieces(path);
      try {
        let position = 0;
        const put = (bytes: Uint8Array): void => {
          file.write(bytes);
          position += bytes.length;
        };
        const startTensor = (index: number): void => put(new Uint8Array(offsets[index]! - position));
        put(header);
        if (ropeFactors) {
          startTensor(0);
          put(new Uint8Array(ropeFactors.buffer));
        }
        const source = mergedWeights(context.model.weights, context.adapter, context.strength);
        for (const [index, weight] of weights.entries()) {
          startTensor(tensors.length - weights.length + index);
          for (const bytes of encodedBlocks(source, weight, 'gguf')) {
            put(bytes);
            await advance(bytes.length);
          }
        }
        file.finish();
      } finally {
        file.close();
      }
      writeFlushed(modelfilePath(path), modelfile(context));
    },
    open: (folder) => ({
      weights: openModel(join(folder, `${context.name}.gguf`)).weights,
      adapter: null,
      isOwn: true,
    }),
  };
}

/** Copied from a base that is a GGUF file, otherwise made from config and tokenizer. */
function metadata({ model, name }: ExportContext): GgufMetadata {
  const { weights, tokenizerSource } = model;
  if (tokenizerSource.kind === 'gguf') return copyGgufMetadata(tokenizerSource.file);
  return new Map([
    ['general.type', ggufValue.string('model')],
    ['general.name', ggufValue.string(name)],
    ...familyOf(weights.config).gguf.writeConfig(weights.config),
    ...tokenizerInGguf(readTokenizerParts(tokenizerSource), weights.config.vocabSize),
  ]);
}

function typeEntries(dtype: ExportDType): GgufMetadata {
  const isQuantized = dtype.startsWith('q');
  return new Map([
    ['general.file_type', ggufValue.uint32(fileTypes[dtype])],
    ...(isQuantized ? [['general.quantization_version', ggufValue.uint32(quantizationVersion)] as const] : []),
  ]);
}
