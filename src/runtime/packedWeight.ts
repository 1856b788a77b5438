import { blockFormats } from '../core/formats/ggmlBlocks.js';
import { quantizeQ4 } from '../core/formats/quantizeQ4.js';
import { unpermuteRows } from '../core/llama/weightNames.js';
import type { WeightStore } from '../core/llama/weights.js';

/** A weight that stays in GGML blocks and is decoded whenever a block of the model runs. */
export interface PackedWeight {
  readonly shape: readonly number[];
  /** Writes the fp32 weight, row-major. */
  unpack(into: Float32Array): void;
}

/**
 * A linear's weight in 4 to 8 bits: GGUF blocks as they lie in the file, without a detour through fp32; other types rounded
 * to Q4_0. Undefined for rows that do not divide into blocks.
 */
export function packWeight(store: WeightStore, name: string): PackedWeight | undefined {
  const { storedType, shape, permutedRows } = store.info(name)!;
  if (storedType === 'F32' || storedType === 'F16' || storedType === 'BF16') {
    return shape[1]! % blockFormats.Q4_0.elements === 0 ? packed(quantizeQ4(store.readFloat32(name)), 'Q4_0', shape) : undefined;
  }
  const bytes = packed(store.readStored(name), storedType, shape);
  if (!permutedRows) return bytes;
  return {
    shape,
    unpack(into) {
      bytes.unpack(into);
      unpermuteRows(into, store.config.headDim, shape[1]!);
    },
  };
}

function packed(bytes: Uint8Array, type: keyof typeof blockFormats, shape: readonly number[]): PackedWeight {
  const { elements, bytes: blockBytes, decode } = blockFormats[type];
  return {
    shape,
    unpack(into) {
      for (let at = 0, to = 0; at < bytes.length; at += blockBytes, to += elements) decode(bytes, at, into, to);
    },
  };
}
