/** @file What the engines need of a device: compile programs, hold tensors, run. */
import type { Constants, DynamicAxes } from '../core/graph/lower.js';
import { tensorBytes, type DeviceKind, type DType, type Program } from '../core/graph/types.js';
import type { Shape } from '../core/shape.js';

/** How elements of each type lie in the host's memory. */
export interface HostArrays {
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}
export type HostArray = HostArrays[DType];

/** Elements in fresh memory, all zero, or in the first bytes of the buffer that is given. */
export function hostArray<K extends DType>(dtype: K, length: number, buffer?: ArrayBuffer): HostArrays[K];
export function hostArray(
  dtype: DType,
  length: number,
  buffer = new ArrayBuffer(tensorBytes({ dtype, shape: [length] })),
): HostArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, 0, length);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer, 0, length);
    case 'int32':
      return new Int32Array(buffer, 0, length);
    case 'int64':
      return new BigInt64Array(buffer, 0, length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer, 0, length);
  }
}

/** A tensor where the device wants it. It has one owner, who releases it once; to do so again throws. */
export interface DeviceTensor {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A defect of ours. */
export function releasedTwice({ dtype, shape }: DeviceTensor): Error {
  return new Error(`internal: a tensor was released twice: ${dtype} [${shape.join()}]`);
}

export interface CompileOptions {
  /** Inputs that become part of the program, so that the device may repack them. */
  readonly constants?: Constants;
  /** Axes whose length is free; results along such axes must be given to `run`. */
  readonly dynamicAxes?: DynamicAxes;
  /** Too little work to be shared among threads. */
  readonly light?: boolean;
}

export interface Executable {
  /**
   * Results by output name; the caller owns them. Inputs stay the caller's. Where `into` names a tensor for an output, the
   * result is written there, even if it is an input's own; only devices that write in place take it.
   */
  run(inputs: ReadonlyMap<string, DeviceTensor>, into?: ReadonlyMap<string, DeviceTensor>): Promise<Map<string, DeviceTensor>>;
  dispose(): Promise<void>;
}

export interface Device {
  readonly kind: DeviceKind;
  /** For people: "CPU, 2 threads". */
  readonly description: string;
  /** Whether `run` can write into tensors of the caller. */
  readonly writesInPlace: boolean;
  compile(program: Program, options?: CompileOptions): Promise<Executable>;
  /** The device may keep `data` as it is: the caller gives it away. */
  upload(dtype: DType, shape: Shape, data: HostArray): Promise<DeviceTensor>;
  zeros(shape: Shape): Promise<DeviceTensor>;
  /** A tensor whose every element `write` sets. */
  fill<K extends DType>(dtype: K, shape: Shape, write: (into: HostArrays[K]) => void): Promise<DeviceTensor>;
  /** A copy of an fp32 tensor on the host. */
  download(tensor: DeviceTensor): Promise<Float32Array>;
  release(tensor: DeviceTensor): void;
  /** Says ahead which tensors will be held at once; smaller ones then find their memory among these. */
  reserve(tensors: readonly Pick<DeviceTensor, 'dtype' | 'shape'>[]): void;
  dispose(): Promise<void>;
}
