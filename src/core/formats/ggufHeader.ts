/** @file Writing GGUF version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). */
import { elementCount } from '../shape.js';
import { encodedLength, type WrittenType } from './encodeTensor.js';
import { storedTypes } from './gguf.js';

/** Metadata by key: each entry's type and value as they are in the file. */
export type GgufMetadata = ReadonlyMap<string, Uint8Array>;

interface OutlinedTensor {
  readonly name: string;
  readonly type: WrittenType;
  /** Outermost first. */
  readonly shape: readonly number[];
}

interface GgufOutline {
  /** Everything before the data. */
  readonly header: Uint8Array;
  /** From the start of the file, in the tensors' order. */
  readonly offsets: readonly number[];
  readonly byteLength: number;
}

/** The default of general.alignment. */
const alignment = 32;

/** The metadata of a file, value by value. */
export const ggufValue = {
  uint32: (value: number): Uint8Array => typed(4, number(4, 'setUint32', value)),
  float32: (value: number): Uint8Array => typed(6, number(4, 'setFloat32', value)),
  bool: (value: boolean): Uint8Array => typed(7, Uint8Array.of(Number(value))),
  string: (value: string): Uint8Array => typed(8, text(value)),
  strings: (values: readonly string[]): Uint8Array => array(8, values.length, joined(values.map(text))),
  int32s: (values: readonly number[]): Uint8Array => array(5, values.length, bytesOf(Int32Array.from(values))),
  float32s: (values: readonly number[]): Uint8Array => array(6, values.length, bytesOf(Float32Array.from(values))),
};

/** Places the tensors in the given order. */
export function outlineGguf(metadata: GgufMetadata, tensors: readonly OutlinedTensor[]): GgufOutline {
  let end = 0;
  const placed = tensors.map((tensor) => {
    const offset = aligned(end);
    end = offset + encodedLength(tensor.type, elementCount(tensor.shape));
    return { ...tensor, offset };
  });
  const parts = joined([
    new TextEncoder().encode('GGUF'),
    number(4, 'setUint32', 3),
    uint64(tensors.length),
    uint64(metadata.size),
    ...[...metadata].flatMap(([key, value]) => [text(key), value]),
    ...placed.map(tensorInfo),
  ]);
  const header = new Uint8Array(aligned(parts.length));
  header.set(parts);
  return { header, offsets: placed.map(({ offset }) => header.length + offset), byteLength: header.length + end };
}

function tensorInfo({ name, type, shape, offset }: OutlinedTensor & { readonly offset: number }): Uint8Array {
  const lengths = [...shape].reverse().map(uint64);
  return joined([
    text(name),
    number(4, 'setUint32', shape.length),
    ...lengths,
    number(4, 'setUint32', typeNumber(type)),
    uint64(offset),
  ]);
}

function typeNumber(type: WrittenType): number {
  return Number(Object.entries(storedTypes).find(([, name]) => name === type)![0]);
}

function aligned(offset: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

function typed(type: number, value: Uint8Array): Uint8Array {
  return joined([number(4, 'setUint32', type), value]);
}

function array(type: number, count: number, elements: Uint8Array): Uint8Array {
  return typed(9, joined([number(4, 'setUint32', type), uint64(count), elements]));
}

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return joined([uint64(bytes.length), bytes]);
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

function number(length: number, set: 'setUint32' | 'setFloat32', value: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer)[set](0, value, true);
  return bytes;
}

function bytesOf({ buffer }: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
