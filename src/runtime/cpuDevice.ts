import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { optimize } from '../core/graph/fuse.js';
import { lastOutput, lowerToOnnx } from '../core/graph/lower.js';
import { tensorBytes, type DType, type Program } from '../core/graph/types.js';
import { elementCount, type Shape } from '../core/shape.js';
import { t } from '../l10n/text.js';
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
import { collectGarbage } from './memory/collectGarbage.js';
import { ortTensor } from './ortTensor.js';
import { savedSession } from './savedSession.js';
import { settleAllocator } from './settleAllocator.js';

/** ONNX Runtime's CPU provider. Buffers of released tensors are reused, so that a training step allocates nothing. */
export class CpuDevice implements Device {
  readonly kind = 'cpu';
  readonly writesInPlace = true;
  readonly description: string;
  private readonly pool = new BufferPool();

  constructor(private readonly threads: number) {
    this.description = threads === 1 ? t`CPU, 1 thread` : t`CPU, ${threads} threads`;
  }

  async compile(program: Program, options: CompileOptions = {}): Promise<Executable> {
    await settleAllocator();
    const session = await this.createSession(program, options);
    const { pool } = this;
    const { inputNames } = session;
    return {
      async run(inputs, into) {
        const results = new Map<string, DeviceTensor>();
        for (const [name, value] of program.outputs) results.set(name, into?.get(name) ?? pool.take(value.dtype, value.shape));
        const feeds = Object.fromEntries(inputNames.map((name) => [name, tensorOf(required(inputs, name, program))]));
        await runInto(session, feeds, results);
        return results;
      },
      dispose: () => session.release(),
    };
  }

  upload(dtype: DType, shape: Shape, data: HostArray): Promise<DeviceTensor> {
    return Promise.resolve(new CpuTensor(dtype, shape, data, null));
  }

  zeros(shape: Shape): Promise<DeviceTensor> {
    return this.fill('float32', shape, (into) => into.fill(0));
  }

  fill<K extends DType>(dtype: K, shape: Shape, write: (into: HostArrays[K]) => void): Promise<DeviceTensor> {
    const tensor = this.pool.take(dtype, shape);
    write(tensor.tensor.data as HostArrays[K]);
    return Promise.resolve(tensor);
  }

  download(tensor: DeviceTensor): Promise<Float32Array> {
    return Promise.resolve((tensorOf(tensor).data as Float32Array).slice());
  }

  release(tensor: DeviceTensor): void {
    (tensor as CpuTensor).release();
    this.pool.give(tensor as CpuTensor);
  }

  /** Pages that are never written use no memory. */
  reserve(tensors: Parameters<Device['reserve']>[0]): void {
    tensors.map(({ dtype, shape }) => this.pool.take(dtype, shape)).forEach((tensor) => this.pool.give(tensor));
  }

  releaseSpare(): void {
    this.pool.clear();
  }

  dispose(): Promise<void> {
    this.releaseSpare();
    return Promise.resolve();
  }

  private async createSession(program: Program, options: CompileOptions): Promise<InferenceSession> {
    const settings = this.sessionOptions(options.light === true);
    const encode = async (withConstants: boolean): Promise<Uint8Array> => {
      const model = await encoded(program, options, withConstants);
      if (model.length > largeModel) collectGarbage(); // the weights that the model was made from
      return model;
    };
    const session = options.saved && (await savedSession(options.saved, encode, settings));
    return session ?? InferenceSession.create(await encode(true), settings);
  }

  private sessionOptions(light: boolean): InferenceSession.SessionOptions {
    return {
      executionProviders: ['cpu'],
      intraOpNumThreads: light ? 1 : this.threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      // Each session would keep an arena as large as its peak use, but the programs run in turn (docs/decisions/0004).
      enableCpuMemArena: false,
      // A single block for all of a run's intermediates would come fresh from the system, page by page, in every run.
      enableMemPattern: false,
      // Each session has its own threads, which would continue to spin while the next session works (docs/decisions/0008).
      extra: { session: { force_spinning_stop: '1' } },
    };
  }
}

/** In bytes; smaller ones are left to V8. */
const largeModel = 2 ** 23;

async function encoded(
  program: Program,
  { constants, dynamicAxes }: CompileOptions,
  withConstants: boolean,
): Promise<Uint8Array> {
  const target = { fusedMatMul: true, inverseRms: true, endsRun: true };
  return lowerToOnnx(optimize(program), target, withConstants ? await constants?.() : undefined, dynamicAxes);
}

/**
 * Runs the session; ONNX Runtime writes the results into the given tensors. Its Node binding would then copy each of them into an
 * array of its own, which nobody needs. It starts with `lastOutput`, which it cannot return, and gives up there, after everything
 * has been written (docs/decisions/0004).
 */
async function runInto(
  session: InferenceSession,
  feeds: Record<string, Tensor>,
  results: ReadonlyMap<string, DeviceTensor>,
): Promise<void> {
  const fetches = Object.fromEntries([...results].map(([name, tensor]) => [name, tensorOf(tensor)]));
  try {
    await session.run(feeds, { [lastOutput]: null, ...fetches });
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('Non tensor type')) throw error;
  }
}

class CpuTensor implements DeviceTensor {
  readonly tensor: Tensor;
  private isReleased = false;

  constructor(
    readonly dtype: DType,
    readonly shape: Shape,
    data: HostArray,
    /** Returned to the pool; null if the memory was handed over by the caller. */
    readonly buffer: ArrayBuffer | null,
  ) {
    this.tensor = ortTensor(dtype, shape, data);
  }

  /** If a buffer were returned twice, two tensors would share it. */
  release(): void {
    if (this.isReleased) throw releasedTwice(this);
    this.isReleased = true;
  }
}

/**
 * Memory of released tensors. Each batch length needs the same tensors in other sizes, so a tensor takes the smallest buffer that
 * holds it; all lengths together then need about as much as the longest.
 */
class BufferPool {
  private readonly free = new Map<number, ArrayBuffer[]>();

  take(dtype: DType, shape: Shape): CpuTensor {
    const buffer = this.buffer(tensorBytes({ dtype, shape }));
    return new CpuTensor(dtype, shape, hostArray(dtype, elementCount(shape), buffer), buffer);
  }

  give({ buffer }: CpuTensor): void {
    if (!buffer) return;
    const list = this.free.get(buffer.byteLength);
    if (list) list.push(buffer);
    else this.free.set(buffer.byteLength, [buffer]);
  }

  clear(): void {
    this.free.clear();
  }

  private buffer(bytes: number): ArrayBuffer {
    const fitting = [...this.free].filter(([size, list]) => list.length > 0 && size >= bytes && size <= maxSpare * bytes);
    return fitting.length > 0 ? this.free.get(Math.min(...fitting.map(([size]) => size)))!.pop()! : new ArrayBuffer(bytes);
  }
}

/**
 * Lengths differ by a factor of up to eight (paddedLength in core/data/batches.ts); a scalar must not take an activation's
 * buffer.
 */
const maxSpare = 8;

function required(inputs: ReadonlyMap<string, DeviceTensor>, name: string, program: Program): DeviceTensor {
  const tensor = inputs.get(name);
  if (!tensor) throw new Error(`internal: program ${program.name} wants the input ${name}`);
  return tensor;
}

function tensorOf(tensor: DeviceTensor): Tensor {
  return (tensor as CpuTensor).tensor;
}
