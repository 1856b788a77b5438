/** @file Runs programs on ONNX Runtime with the numbers of tests. */
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { optimize } from '../../src/core/graph/fuse.js';
import { commonTarget, inputType, lowerToOnnx } from '../../src/core/graph/lower.js';
import type { DType, Program } from '../../src/core/graph/types.js';
import type { Device, DeviceTensor, HostArray } from '../../src/runtime/device.js';
import { tensor, type Tensor } from './tensors.js';

/** Runs a program as training and generation do. */
export async function runOnDevice(
  device: Device,
  program: Program,
  values: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Tensor>> {
  const executable = await device.compile(program);
  const inputs = new Map<string, DeviceTensor>();
  for (const [name, { dtype, shape }] of program.inputs)
    inputs.set(name, await device.upload(dtype, shape, hostArray(dtype, values.get(name)!)));
  const results = await executable.run(inputs);
  const outputs = new Map<string, Tensor>();
  for (const [name, result] of results)
    outputs.set(name, tensor(result.shape, Array.from(await device.download(result), Number)));
  [...inputs.values(), ...results.values()].forEach((each) => device.release(each));
  await executable.dispose();
  return outputs;
}

/** Runs a program as on a device that lacks the fused operators. */
export async function runWithoutFusedOperators(
  program: Program,
  values: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Tensor>> {
  const session = await InferenceSession.create(lowerToOnnx(optimize(program), commonTarget), { intraOpNumThreads: 1 });
  const feeds = [...program.inputs].map(([name, { dtype, shape }]) => {
    const data = hostArray(dtype, values.get(name)!);
    return [name, new OrtTensor(inputType(dtype), data as Float32Array, shape as number[])] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return new Map(
    Object.entries(results).map(([name, { dims, data }]) => [name, tensor(dims, Array.from(data as Float32Array, Number))]),
  );
}

function hostArray(dtype: DType, { data }: Tensor): HostArray {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(data);
    case 'int32':
      return Int32Array.from(data);
    case 'int64':
      return BigInt64Array.from(data, BigInt);
    case 'int8':
      return Int8Array.from(data);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(data);
    case 'float16':
    case 'bfloat16':
      throw new Error('give fp32 and cast it');
  }
}
