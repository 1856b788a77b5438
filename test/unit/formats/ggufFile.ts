/** @file Handwritten GGUF files, with arbitrary faults. */

export interface GgufParts {
  readonly magic?: string;
  readonly version?: number;
  /** The count that the header claims; the true one by default. */
  readonly tensorCount?: bigint;
  readonly metadataCount?: bigint;
  /** Key, type number, bytes of the value. */
  readonly metadata?: readonly (readonly [string, number, Uint8Array])[];
  readonly tensors?: readonly GgufTensorParts[];
  readonly dataLength?: number;
}

export interface GgufTensorParts {
  readonly name: string;
  /** Innermost first, as in the file. */
  readonly lengths: readonly number[];
  readonly type: number;
  readonly offset: number;
}

export function ggufFile({ metadata = [], tensors = [], dataLength = 0, ...header }: GgufParts): Uint8Array {
  const start = bytes(
    new TextEncoder().encode(header.magic ?? 'GGUF'),
    u32(header.version ?? 3),
    u64(header.tensorCount ?? BigInt(tensors.length)),
    u64(header.metadataCount ?? BigInt(metadata.length)),
    ...metadata.map(([key, type, value]) => bytes(text(key), u32(type), value)),
    ...tensors.map(({ name, lengths, type, offset }) =>
      bytes(text(name), u32(lengths.length), ...lengths.map((length) => u64(BigInt(length))), u32(type), u64(BigInt(offset))),
    ),
  );
  const padding = dataLength > 0 ? (32 - (start.length % 32)) % 32 : 0;
  return bytes(start, new Uint8Array(padding + dataLength));
}

export const u32 = (value = 0): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
export const f32 = (value: number): Uint8Array => new Uint8Array(Float32Array.of(value).buffer);
export const u64 = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer);
export const text = (value: string): Uint8Array => {
  const encoded = new TextEncoder().encode(value);
  return bytes(u64(BigInt(encoded.length)), encoded);
};
export const bytes = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
