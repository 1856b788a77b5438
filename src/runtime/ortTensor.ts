import { Tensor } from 'onnxruntime-node';
import { inputType } from '../core/graph/lower.js';
import type { DType } from '../core/graph/types.js';
import type { Shape } from '../core/shape.js';
import type { HostArray } from './device.js';

/**
 * A tensor for ONNX Runtime on top of the given memory. Where JavaScript has a Float16Array (Node 24), its Tensor wraps 16-bit floats
 * in one, which its own Node binding takes for empty; so they stay what the binding reads, a Uint16Array.
 */
export function ortTensor(dtype: DType, shape: Shape, data: HostArray): Tensor {
  const tensor = new Tensor(inputType(dtype), data as Float32Array, shape as number[]) as Tensor;
  if (dtype === 'float16') Object.defineProperty(tensor, 'data', { value: data });
  return tensor;
}
