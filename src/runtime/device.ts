/** @file What the engines need of a device: compile programs, hold tensors, run. */
import type { Constants, DynamicAxes } from '../core/graph/lower.js';
import type { DType, Program, Shape } from '../core/graph/types.js';

export type HostArray = Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;

/** A tensor where the device wants it. It has one owner, who releases it once. */
export interface DeviceTensor {
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface CompileOptions {
  /** Inputs that become part of the program, so that the device may repack them. */
  readonly constants?: Constants;
  /** Axes whose length is free; results along such axes must be given to `run`. */
  readonly dynamicAxes?: DynamicAxes;
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
  readonly kind: 'cpu' | 'webgpu';
  /** For people: "CPU, 2 threads". */
  readonly description: string;
  /** Whether `run` can write into tensors of the caller. */
  readonly writesInPlace: boolean;
  compile(program: Program, options?: CompileOptions): Promise<Executable>;
  /** The device may keep `data` as it is: the caller gives it away. */
  upload(dtype: DType, shape: Shape, data: HostArray): Promise<DeviceTensor>;
  zeros(shape: Shape): Promise<DeviceTensor>;
  /** An fp32 tensor whose every element `write` sets. */
  fill(shape: Shape, write: (into: Float32Array) => void): Promise<DeviceTensor>;
  /** A copy on the host. */
  download(tensor: DeviceTensor): Promise<Float32Array>;
  release(tensor: DeviceTensor): void;
  dispose(): Promise<void>;
}
