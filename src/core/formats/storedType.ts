import { blockFormats, type BlockType } from './ggmlBlocks.js';

/** How a tensor's elements are stored: as individual numbers or in GGUF's blocks. */
export type StoredType = 'F32' | 'F16' | 'BF16' | BlockType;

/** The smallest unit of each stored type: its number of elements and of bytes. */
export const storedBlocks: { readonly [K in StoredType]: { readonly elements: number; readonly bytes: number } } = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  ...blockFormats,
};
