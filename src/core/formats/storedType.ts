import { blockFormats, type BlockType } from './ggmlBlocks.js';

/** How a tensor's elements are stored: each a number of its own, or in GGUF's blocks. */
export type StoredType = 'F32' | 'F16' | 'BF16' | BlockType;

/** The least that is stored of each type: so many elements, in so many bytes. */
export const storedBlocks: { readonly [K in StoredType]: { readonly elements: number; readonly bytes: number } } = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  ...blockFormats,
};
