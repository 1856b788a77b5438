/** @file An adapter as llama.cpp takes it (https://github.com/ggml-org/llama.cpp, convert_lora_to_gguf.py, llama-adapter.cpp). */
import { join } from 'node:path';
import { loraParameters, loraScaling, peftName, type LoraParameter } from '../core/adapters/lora.js';
import type { Adapter } from '../core/adapters/peft.js';
import { decodeTensor } from '../core/formats/decodeTensor.js';
import { encodeTensor } from '../core/formats/encodeTensor.js';
import { parseGguf } from '../core/formats/gguf.js';
import { ggufValue, outlineGguf, type GgufMetadata } from '../core/formats/ggufHeader.js';
import type { HostTensor } from '../core/formats/hostTensor.js';
import type { ModelConfig } from '../core/models/config.js';
import { familyOf } from '../core/models/registry.js';
import { permuteRows, unpermuteRows } from '../core/models/rowOrder.js';
import { weightTable } from '../core/models/weightTable.js';
import { elementCount } from '../core/shape.js';
import { writeFlushed } from '../files/atomicWrite.js';
import { openFile } from '../files/fileSource.js';
import type { ExportContext, Written } from './exportContext.js';
import { plainType } from './plannedWeights.js';

const alphaKey = 'adapter.lora.alpha';

export function ggufLora(context: ExportContext, adapter: Adapter): Written {
  const { model, strength, name, dtype } = context;
  const { config } = model.weights;
  const type = plainType(dtype);
  const parameters = writtenParameters(config, adapter);
  const tensors = parameters.map((parameter) => ({ name: nameInGguf(config, parameter), type, shape: parameter.shape }));
  const { header, offsets, byteLength } = outlineGguf(metadata(config, adapter, strength, name), tensors);
  return {
    sizeBytes: byteLength,
    async write(folder, advance) {
      const pieces = [header];
      parameters.forEach((parameter, index) => {
        const bytes = encodeTensor(type, inFileOrder(config, parameter, adapter.parameters.get(parameter.name)!));
        const next = offsets[index + 1] ?? byteLength;
        pieces.push(bytes, new Uint8Array(next - offsets[index]! - bytes.length));
      });
      writeFlushed(join(folder, `${name}.gguf`), pieces);
      await advance(byteLength);
    },
    open: (folder) => ({
      weights: model.weights,
      adapter: readGgufLora(join(folder, `${name}.gguf`), config, adapter),
      isOwn: false,
    }),
  };
}

/** llama.cpp multiplies by alpha / r, so alpha stands for every kind of scaling. */
function metadata(config: ModelConfig, { lora }: Adapter, strength: number, name: string): GgufMetadata {
  return new Map([
    ['general.architecture', familyOf(config).gguf.writeConfig(config).get('general.architecture')!],
    ['general.type', ggufValue.string('adapter')],
    ['general.name', ggufValue.string(name)],
    ['adapter.type', ggufValue.string('lora')],
    [alphaKey, ggufValue.float32(strength * loraScaling(lora) * lora.r)],
  ]);
}

/** Without linears that the adapter leaves alone, whose matrices are all zero. */
function writtenParameters(config: ModelConfig, { lora, parameters }: Adapter): LoraParameter[] {
  return loraParameters(config, lora).filter(({ layer, linear }) =>
    (['A', 'B'] as const).some((matrix) => parameters.get(peftName(layer, linear, matrix))!.data.some((value) => value !== 0)),
  );
}

function specOf(config: ModelConfig, { layer, linear }: LoraParameter) {
  return weightTable(config).ofLayer(layer, `${linear}.weight`);
}

function nameInGguf(config: ModelConfig, parameter: LoraParameter): string {
  return `${specOf(config, parameter).ggufName}.lora_${parameter.matrix.toLowerCase()}`;
}

/** The rows of B are those of the weight, so they are permuted like it. */
function inFileOrder(config: ModelConfig, parameter: LoraParameter, { data }: HostTensor): Float32Array {
  if (parameter.matrix === 'A' || !specOf(config, parameter).permutedInGguf) return data;
  const rows = data.slice();
  permuteRows(rows, config.headDim, parameter.shape[1]);
  return rows;
}

/** The adapter in a file that was written here for the same linears as `original`. */
function readGgufLora(path: string, config: ModelConfig, original: Adapter): Adapter {
  const source = openFile(path);
  try {
    const { metadata, tensors } = parseGguf(source);
    const parameters = new Map(
      loraParameters(config, original.lora).map((parameter): [string, HostTensor] => {
        const data = new Float32Array(elementCount(parameter.shape));
        const tensor = tensors.get(nameInGguf(config, parameter));
        if (tensor) decodeTensor(source, { ...tensor, storedType: tensor.type }, data);
        const isPermuted = parameter.matrix === 'B' && specOf(config, parameter).permutedInGguf;
        if (isPermuted) unpermuteRows(data, config.headDim, parameter.shape[1]);
        return [parameter.name, { shape: parameter.shape, data }];
      }),
    );
    const lora = { ...original.lora, alpha: metadata.get(alphaKey) as number, useRslora: false };
    return { ...original, lora, parameters };
  } finally {
    source.close();
  }
}
