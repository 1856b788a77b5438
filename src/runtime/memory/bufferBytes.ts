import { tensorBytes, type DeviceKind, type Value } from '../../core/graph/types.js';

/**
 * Buffer sizes used by the WebGPU provider of ONNX Runtime 1.30, so that a freed buffer can serve whatever needs nearly as much.
 * Larger buffers get exactly the requested size (onnxruntime/core/providers/webgpu/buffer_manager.cc, mode "bucket").
 */
const sizes = [
  64, 128, 256, 512, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576, 2097152, 4194304, 8388608, 12582912,
  16777216, 26214400, 33554432, 44236800, 58982400, 67108864, 134217728, 167772160,
];

/** Device memory used by a tensor. */
export function bufferBytes(tensor: Pick<Value, 'dtype' | 'shape'>, device: DeviceKind): number {
  const bytes = tensorBytes(tensor);
  return device === 'webgpu' ? (sizes.find((size) => size >= bytes) ?? bytes) : bytes;
}
