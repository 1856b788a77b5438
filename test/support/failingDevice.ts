import type { DType, Program } from '../../src/core/graph/types.js';
import type { Shape } from '../../src/core/shape.js';
import type { CompileOptions, Device, DeviceTensor, Executable, HostArray, HostArrays } from '../../src/runtime/device.js';
import { gpuFailure } from '../../src/runtime/webgpuDevice.js';

/** A device on which the `failsAt`-th run of the program with that name fails; if it is `lost`, everything fails from then on. */
export class FailingDevice implements Device {
  readonly kind;
  readonly writesInPlace;
  readonly description = 'failing device';
  private runs = 0;
  private isLost = false;

  constructor(
    private readonly inner: Device,
    private readonly program: string,
    private readonly failsAt: number,
    private readonly lost: boolean,
    /** ONNX Runtime's message; by default in the style of its WebGPU provider. */
    private readonly words = '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Run(const onnxruntime::Program&)::<lambda()> status == Success was false. injected\n',
  ) {
    this.kind = inner.kind;
    this.writesInPlace = inner.writesInPlace;
  }

  async compile(program: Program, options?: CompileOptions): Promise<Executable> {
    this.requireAlive();
    const executable = await this.inner.compile(program, options);
    return {
      run: async (inputs, into) => {
        this.requireAlive();
        if (program.name === this.program && ++this.runs === this.failsAt) {
          this.isLost = this.lost;
          throw this.failure();
        }
        return executable.run(inputs, into);
      },
      dispose: () => executable.dispose(),
    };
  }

  upload(dtype: DType, shape: Shape, data: HostArray): Promise<DeviceTensor> {
    this.requireAlive();
    return this.inner.upload(dtype, shape, data);
  }

  zeros(shape: Shape): Promise<DeviceTensor> {
    this.requireAlive();
    return this.inner.zeros(shape);
  }

  fill<K extends DType>(dtype: K, shape: Shape, write: (into: HostArrays[K]) => void): Promise<DeviceTensor> {
    this.requireAlive();
    return this.inner.fill(dtype, shape, write);
  }

  async download(tensor: DeviceTensor): Promise<Float32Array> {
    this.requireAlive();
    return this.inner.download(tensor);
  }

  release(tensor: DeviceTensor): void {
    this.inner.release(tensor);
  }

  releaseSpare(): void {
    this.inner.releaseSpare();
  }

  reserve(tensors: Parameters<Device['reserve']>[0]): void {
    this.inner.reserve(tensors);
  }

  dispose(): Promise<void> {
    return this.inner.dispose();
  }

  private requireAlive(): void {
    if (this.isLost) throw this.failure();
  }

  private failure(): Error {
    return gpuFailure(new Error(this.words));
  }
}
