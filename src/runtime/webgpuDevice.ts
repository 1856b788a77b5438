import { InferenceSession, Tensor } from 'onnxruntime-node';
import { UserError } from '../core/errors.js';
import { encodeOnnx, type OnnxNode, type OnnxTensor } from '../core/formats/onnx.js';
import { bufferBytes } from './memory/bufferBytes.js';
import { optimize } from '../core/graph/fuse.js';
import { commonTarget, lowerToOnnx } from '../core/graph/lower.js';
import type { DType, Program } from '../core/graph/types.js';
import { elementCount, type Shape } from '../core/shape.js';
import { t } from '../l10n/text.js';
import { BindingLimit } from './bindingLimit.js';
import {
  hostArray,
  type CompileOptions,
  type Device,
  type DeviceTensor,
  type Executable,
  type HostArray,
  type HostArrays,
  releasedTwice,
} from './device.js';
import { failureReason } from './failureReason.js';
import { ortTensor } from './ortTensor.js';

interface GpuTensor extends DeviceTensor {
  readonly tensor: Tensor;
}

/**
 * Bytes transferred between host and device since the start, and the tensors on the device with the bytes of their buffers:
 * current and peak values. Memory used inside programs is not counted.
 */
export interface DeviceUsage {
  bytesIn: number;
  bytesOut: number;
  tensors: number;
  bytes: number;
  peakBytes: number;
}

/**
 * ONNX Runtime's WebGPU provider. All tensors stay on the device. Data goes in through a program whose result stays there, and
 * comes out through one whose result goes to the host: getData() on a device tensor ends the process (onnxruntime-node 1.30).
 * Nothing is garbage-collected: every tensor is disposed of by release().
 */
export class WebGpuDevice implements Device {
  readonly kind = 'webgpu';
  readonly writesInPlace = false;
  readonly description = 'GPU (WebGPU)';
  readonly usage: DeviceUsage = { bytesIn: 0, bytesOut: 0, tensors: 0, bytes: 0, peakBytes: 0 };
  /** Tensors left behind by work that failed are released with the device. */
  private readonly alive = new Set<GpuTensor>();
  private readonly limit = new BindingLimit((program) => this.evaluate(program));
  /** This class's own programs, which move tensors. */
  private readonly movers = new Map<string, Promise<InferenceSession>>();

  async compile(program: Program, options: CompileOptions = {}): Promise<Executable> {
    const optimized = optimize(program);
    await this.limit.check(optimized);
    return this.load(optimized, options);
  }

  async upload(dtype: DType, shape: Shape, data: HostArray): Promise<DeviceTensor> {
    const session = await this.mover('upload', dtype, shape.length);
    this.usage.bytesIn += data.byteLength;
    const { y } = await attempt(() => session.run({ x: ortTensor(dtype, shape, data) }));
    return this.own(dtype, y as Tensor);
  }

  /** Only the shape is transferred. */
  async zeros(shape: Shape): Promise<DeviceTensor> {
    if (shape.length === 0) return this.upload('float32', shape, new Float32Array(1));
    const session = await this.mover('zeros', 'float32', shape.length);
    const lengths = BigInt64Array.from(shape, BigInt);
    this.usage.bytesIn += lengths.byteLength;
    const { y } = await attempt(() => session.run({ x: new Tensor('int64', lengths, [shape.length]) }));
    return this.own('float32', y as Tensor);
  }

  fill<K extends DType>(dtype: K, shape: Shape, write: (into: HostArrays[K]) => void): Promise<DeviceTensor> {
    const data = hostArray(dtype, elementCount(shape));
    write(data);
    return this.upload(dtype, shape, data);
  }

  async download(tensor: DeviceTensor): Promise<Float32Array> {
    const session = await this.mover('download', tensor.dtype, tensor.shape.length);
    const { y } = await attempt(() => session.run({ x: gpuTensor(tensor) }));
    const data = (y!.data as Float32Array).slice();
    this.usage.bytesOut += data.byteLength;
    return data;
  }

  release(tensor: DeviceTensor): void {
    if (!this.alive.delete(tensor as GpuTensor)) throw releasedTwice(tensor);
    gpuTensor(tensor).dispose();
    this.usage.tensors--;
    this.usage.bytes -= bufferBytes(tensor, this.kind);
  }

  /** ONNX Runtime manages its own buffers. */
  reserve(): void {}
  releaseSpare(): void {}

  async dispose(): Promise<void> {
    this.alive.forEach((tensor) => this.release(tensor));
    for (const session of this.movers.values()) await (await session).release();
    this.movers.clear();
  }

  private async load(program: Program, options: CompileOptions): Promise<Executable> {
    const session = await sessionOf(program, options);
    const { inputNames } = session;
    return {
      run: async (inputs) => {
        const feeds = Object.fromEntries(inputNames.map((name) => [name, gpuTensor(inputs.get(name)!)]));
        const results = await attempt(() => session.run(feeds));
        return new Map([...program.outputs].map(([name, { dtype }]) => [name, this.own(dtype, results[name] as Tensor)]));
      },
      dispose: () => session.release(),
    };
  }

  private async evaluate(program: Program): Promise<number> {
    const executable = await this.load(program, {});
    try {
      const inputs = new Map<string, DeviceTensor>();
      for (const [name, { shape }] of program.inputs) inputs.set(name, await this.zeros(shape));
      const [result] = (await executable.run(inputs)).values();
      const [value] = await this.download(result!);
      [...inputs.values(), result!].forEach((tensor) => this.release(tensor));
      return value!;
    } finally {
      await executable.dispose();
    }
  }

  private own(dtype: DType, tensor: Tensor): GpuTensor {
    const owned = { dtype, shape: tensor.dims, tensor };
    this.alive.add(owned);
    this.usage.tensors++;
    this.usage.bytes += bufferBytes(owned, this.kind);
    this.usage.peakBytes = Math.max(this.usage.peakBytes, this.usage.bytes);
    return owned;
  }

  /** One session per rank and type; the lengths are dynamic. */
  private mover(purpose: keyof typeof movers, dtype: DType, rank: number): Promise<InferenceSession> {
    const key = `${purpose} ${dtype} ${rank}`;
    const known = this.movers.get(key);
    if (known) return known;
    const axes = Array.from({ length: rank }, (_, axis) => `length${axis}`);
    const { node, initializers, result } = movers[purpose];
    const model = encodeOnnx({
      name: purpose,
      nodes: [node],
      initializers,
      inputs: [purpose === 'zeros' ? { name: 'x', type: 'int64', shape: [rank] } : { name: 'x', type: dtype, shape: axes }],
      outputs: [{ name: 'y', type: dtype, shape: axes }],
    });
    const session = attempt(() => createSession(model, result));
    this.movers.set(key, session);
    session.catch(() => this.movers.delete(key)); // the next caller tries again
    return session;
  }
}

/** Weights that cannot be read are no failure of the GPU. */
async function sessionOf(program: Program, { constants, dynamicAxes }: CompileOptions): Promise<InferenceSession> {
  const model = lowerToOnnx(program, commonTarget, await constants?.(), dynamicAxes);
  return attempt(() => createSession(model, 'gpu-buffer', { disable_cpu_ep_fallback: '1' }));
}

interface Mover {
  readonly node: OnnxNode;
  readonly initializers: readonly OnnxTensor[];
  readonly result: 'gpu-buffer' | 'cpu';
}

const identity: OnnxNode = { op: 'Identity', domain: '', name: 'identity', inputs: ['x'], outputs: ['y'], attributes: {} };
const zero: OnnxTensor = { name: 'zero', type: 'float32', shape: [], bytes: new Uint8Array(4) };

/** x → y. */
const movers = {
  upload: { node: identity, initializers: [], result: 'gpu-buffer' },
  download: { node: identity, initializers: [], result: 'cpu' },
  zeros: { node: { ...identity, op: 'Expand', inputs: ['zero', 'x'] }, initializers: [zero], result: 'gpu-buffer' },
} as const satisfies Record<string, Mover>;

async function createSession(
  model: Uint8Array,
  result: 'gpu-buffer' | 'cpu',
  session: Record<string, string> = {},
): Promise<InferenceSession> {
  return InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    logSeverityLevel: 3, // shape computations running on the CPU are expected
    extra: { session },
    ...(result === 'gpu-buffer' ? { preferredOutputLocation: 'gpu-buffer' as const } : {}),
  });
}

async function attempt<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw gpuFailure(cause);
  }
}

/** Whatever ONNX Runtime throws here, including a lost device and exhausted memory, is not a bug in this code. */
export function gpuFailure(cause: unknown): UserError {
  return new UserError('device-failed', t`The GPU failed: ${failureReason(cause)}.`, { cause });
}

function gpuTensor(tensor: DeviceTensor): Tensor {
  return (tensor as GpuTensor).tensor;
}
