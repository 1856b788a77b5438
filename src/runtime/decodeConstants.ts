/** @file The frozen weights in the form in which the decode programs embed them. */
import { decodeBlockSize, type DecodeDType } from '../core/generate/decodePrograms.js';
import type { Constants } from '../core/graph/lower.js';
import type { Program } from '../core/graph/types.js';
import { quantizeBlocks } from '../core/llama/quantize.js';
import { linearNames, linearPath, type LinearName, type WeightStore } from '../core/llama/weights.js';

/** For every weight input of a decodeLayersProgram: its bytes. */
export function decodeConstants(store: WeightStore, program: Program, dtype: DecodeDType): Constants {
  const constants = new Map<string, Uint8Array>();
  for (const name of program.inputs.keys()) {
    const [layer, part, kind] = name.split('.') as [string, string, string | undefined];
    if (kind === 'weight' || kind === 'bias') {
      const isLinear = (linearNames as readonly string[]).includes(part);
      const path = isLinear ? linearPath(Number(layer), part as LinearName) : `model.layers.${layer}.${part}`;
      constants.set(name, bytesOf(store.readFloat32(`${path}.${kind}`)));
    } else if (kind === 'codes' || kind === 'weight_transposed') {
      addLinear(constants, store, `${linearPath(Number(layer), part as LinearName)}.weight`, `${layer}.${part}`, dtype);
    }
  }
  return constants;
}

/** For the inputs of a decodeHeadProgram. */
export function headConstants(store: WeightStore, _program: Program, dtype: DecodeDType): Constants {
  const constants = new Map<string, Uint8Array>([['norm.weight', bytesOf(store.readFloat32('model.norm.weight'))]]);
  const name = store.config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  addLinear(constants, store, name, 'lm_head', dtype);
  return constants;
}

function addLinear(constants: Map<string, Uint8Array>, store: WeightStore, storedName: string, localName: string, dtype: DecodeDType): void {
  const [rows, columns] = store.info(storedName)!.shape as [number, number];
  const weights = store.readFloat32(storedName);
  if (dtype === 'fp32') {
    constants.set(`${localName}.weight_transposed`, bytesOf(transposed(weights, rows, columns)));
    return;
  }
  const { codes, scales } = quantizeBlocks(weights, rows, columns, dtype === 'int8' ? 8 : 4, decodeBlockSize);
  constants.set(`${localName}.codes`, codes);
  constants.set(`${localName}.scales`, bytesOf(scales));
}

/** [rows, columns] → [columns, rows], in tiles that stay in the cache. */
function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  const tile = 64;
  for (let row0 = 0; row0 < rows; row0 += tile) {
    for (let column0 = 0; column0 < columns; column0 += tile) {
      const rowEnd = Math.min(rows, row0 + tile);
      const columnEnd = Math.min(columns, column0 + tile);
      for (let row = row0; row < rowEnd; row++) {
        for (let column = column0; column < columnEnd; column++) result[column * rows + row] = matrix[row * columns + column]!;
      }
    }
  }
  return result;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
