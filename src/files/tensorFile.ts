import { readFileSync } from 'node:fs';
import type { HostTensor } from '../core/train/stepRunner.js';

export function readTensorFile(path: string): Map<string, HostTensor> {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, { shape: number[]; data_offsets: [number, number] }>;
  return new Map(
    Object.entries(header).flatMap(([name, { shape, data_offsets }]) =>
      name === '__metadata__' ? [] : [[name, { shape, data: new Float32Array(new Uint8Array(bytes.subarray(8 + length + data_offsets[0], 8 + length + data_offsets[1])).buffer) }]],
    ),
  );
}

export function tensorFileBytes(tensors: ReadonlyMap<string, HostTensor>, metadata: Record<string, string> = {}): Uint8Array {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: metadata };
  for (const [name, { shape, data }] of tensors) header[name] = { dtype: 'F32', shape, data_offsets: [offset, (offset += data.byteLength)] };
  const json = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([prefix, json, ...[...tensors.values()].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))]);
}
