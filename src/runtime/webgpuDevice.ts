import { InferenceSession, Tensor } from 'onnxruntime-node';
import { encodeOnnx } from '../core/formats/onnx.js';
import { optimize } from '../core/graph/fuse.js';
import { lowerToOnnx } from '../core/graph/lower.js';
import type { DType, Program, Shape } from '../core/graph/types.js';
import { elementCount } from '../core/graph/types.js';
import type { CompileOptions, Device, DeviceTensor, Executable, HostArray } from './device.js';

interface GpuTensor extends DeviceTensor {
  readonly tensor: Tensor;
}

/**
 * ONNX Runtime's WebGPU provider. All tensors stay on the device; what goes in passes through an Identity model whose result
 * stays there, what comes out through one whose result comes to the host: getData() on a device tensor ends the process
 * (onnxruntime-node 1.30). Nothing is collected for us: every tensor is disposed by release().
 */
export class WebGpuDevice implements Device {
  readonly kind = 'webgpu';
  readonly writesInPlace = false;
  readonly description = 'GPU (WebGPU)';
  private readonly uploads = new Map<string, Promise<InferenceSession>>();
  private readonly downloads = new Map<string, Promise<InferenceSession>>();

  async compile(program: Program, { constants, dynamicAxes }: CompileOptions = {}): Promise<Executable> {
    const model = lowerToOnnx(optimize(program), { fusedMatMul: false }, constants, dynamicAxes);
    const session = await createSession(model, 'gpu-buffer');
    const inputNames = [...program.inputs.keys()].filter((name) => !constants?.has(name));
    return {
      async run(inputs) {
        const feeds = Object.fromEntries(inputNames.map((name) => [name, gpuTensor(inputs.get(name)!)]));
        const results = await session.run(feeds);
        return new Map(
          [...program.outputs].map(([name, { dtype }]) => {
            const tensor = results[name] as Tensor;
            return [name, { dtype, shape: tensor.dims, tensor }];
          }),
        );
      },
      dispose: () => session.release(),
    };
  }

  async upload(dtype: DType, shape: Shape, data: HostArray): Promise<DeviceTensor> {
    const session = await this.identity(this.uploads, dtype, shape, 'gpu-buffer');
    const { y } = await session.run({ x: new Tensor(dtype, data as Float32Array, shape as number[]) as Tensor });
    return { dtype, shape, tensor: y } as GpuTensor;
  }

  zeros(shape: Shape): Promise<DeviceTensor> {
    return this.upload('float32', shape, new Float32Array(elementCount(shape)));
  }

  fill(shape: Shape, write: (into: Float32Array) => void): Promise<DeviceTensor> {
    const data = new Float32Array(elementCount(shape));
    write(data);
    return this.upload('float32', shape, data);
  }

  async download(tensor: DeviceTensor): Promise<Float32Array> {
    const session = await this.identity(this.downloads, tensor.dtype, tensor.shape, 'cpu');
    const { y } = await session.run({ x: gpuTensor(tensor) });
    return (y!.data as Float32Array).slice();
  }

  release(tensor: DeviceTensor): void {
    gpuTensor(tensor).dispose();
  }

  async dispose(): Promise<void> {
    for (const session of [...this.uploads.values(), ...this.downloads.values()]) await (await session).release();
    this.uploads.clear();
    this.downloads.clear();
  }

  /** One session for a rank and type: lengths are free. */
  private identity(known: Map<string, Promise<InferenceSession>>, dtype: DType, shape: Shape, result: 'gpu-buffer' | 'cpu'): Promise<InferenceSession> {
    const key = `${dtype}/${shape.length}`;
    const axes = shape.map((_, axis) => `length${axis}`);
    const model = (): Uint8Array =>
      encodeOnnx({
        name: 'identity',
        nodes: [{ op: 'Identity', domain: '', name: 'identity', inputs: ['x'], outputs: ['y'], attributes: {} }],
        initializers: [],
        inputs: [{ name: 'x', type: dtype, shape: axes }],
        outputs: [{ name: 'y', type: dtype, shape: axes }],
      });
    const session = known.get(key) ?? createSession(model(), result);
    known.set(key, session);
    return session;
  }
}

function createSession(model: Uint8Array, result: 'gpu-buffer' | 'cpu'): Promise<InferenceSession> {
  return InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    logSeverityLevel: 3, // that shape computations run on the CPU is no news
    ...(result === 'gpu-buffer' ? { preferredOutputLocation: 'gpu-buffer' as const } : {}),
  });
}

function gpuTensor(tensor: DeviceTensor): Tensor {
  return (tensor as GpuTensor).tensor;
}
