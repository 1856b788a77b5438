/** @file What the engines need from a device: to compile programs, hold tensors, and run. */
import type { Constants, DynamicAxes } from '../core/graph/lower.js';
import { tensorBytes, type DeviceKind, type DType, type Program } from '../core/graph/types.js';
import type { Shape } from '../core/shape.js';

/** How elements of each type are stored in host memory. */
export interface HostArrays {
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}
export type HostArray = HostArrays[DType];

/** An array in fresh memory, all zero, or in the first bytes of the given buffer. */
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
    case 'int8':
      return new Int8Array(buffer, 0, length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer, 0, length);
  }
}

/** A tensor in whichever memory the device uses. It has one owner, who releases it exactly once; releasing it again throws. */
export interface DeviceTensor {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** The error for a bug in this code. */
export function releasedTwice({ dtype, shape }: DeviceTensor): Error {
  return new Error(`internal: a tensor was released twice: ${dtype} [${shape.join()}]`);
}

export interface CompileOptions {
  /** Reads the inputs that become part of the program, so that the device may repack them. Nobody is to keep them in memory. */
  readonly constants?: () => Constants | Promise<Constants>;
  /** Axes with dynamic length; results along such axes must be passed to `run`. */
  readonly dynamicAxes?: DynamicAxes;
  /** Where the device may save what it makes of the constants; they must then always be the same for the same program. */
  readonly saved?: SavedSessions;
  /** The program is too small to be worth sharing among threads. */
  readonly light?: boolean;
}

/** The sessions of one model that were saved, each in a folder of its own. */
export interface SavedSessions {
  find(name: string): string | undefined;
  /** `fill` writes a new folder, which appears whole or not at all. Undefined if it cannot be written. */
  add(name: string, fill: (folder: string) => Promise<void>): Promise<string | undefined>;
  remove(name: string): void;
}

export interface Executable {
  /**
   * Returns results by output name; the caller owns them. Inputs remain the caller's. If `into` has a tensor for an output, the
   * result is written there, even if that tensor is also an input; only devices that write in place support this.
   */
  run(inputs: ReadonlyMap<string, DeviceTensor>, into?: ReadonlyMap<string, DeviceTensor>): Promise<Map<string, DeviceTensor>>;
  dispose(): Promise<void>;
}

export interface Device {
  readonly kind: DeviceKind;
  /** For people, such as "CPU, 2 threads". */
  readonly description: string;
  /** Whether `run` can write into the caller's tensors. */
  readonly writesInPlace: boolean;
  compile(program: Program, options?: CompileOptions): Promise<Executable>;
  /** Takes ownership of `data`: the device may keep it without copying. */
  upload(dtype: DType, shape: Shape, data: HostArray): Promise<DeviceTensor>;
  zeros(shape: Shape): Promise<DeviceTensor>;
  /** Makes a tensor; `write` must set every element. */
  fill<K extends DType>(dtype: K, shape: Shape, write: (into: HostArrays[K]) => void): Promise<DeviceTensor>;
  /** A copy of an fp32 tensor on the host. */
  download(tensor: DeviceTensor): Promise<Float32Array>;
  release(tensor: DeviceTensor): void;
  /** Announces which tensors will be held at once; smaller ones later reuse their memory. */
  reserve(tensors: readonly Pick<DeviceTensor, 'dtype' | 'shape'>[]): void;
  /** Gives up the memory of released tensors, which the next run would need in other sizes. */
  releaseSpare(): void;
  dispose(): Promise<void>;
}
