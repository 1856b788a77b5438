import { expect, test } from 'vitest';
import { failureReason } from '../../../src/runtime/failureReason.js';
import { gpuFailure } from '../../../src/runtime/webgpuDevice.js';

const context = '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc';

// Messages of ONNX Runtime 1.30, except for the third, which stands for a statement without a condition.
test.each([
  [
    `${context}:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n`,
    'Failed to get a WebGPU adapter: No supported adapters',
  ],
  [
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.\n - While validating entries[1]',
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error',
  ],
  [`${context}:762 void onnxruntime::webgpu::WebGpuContext::Wait(wgpu::Future) const Device lost.`, 'Device lost'],
  [`${context}:136 Device lost`, 'Device lost'],
  ["Non-zero status code returned while running MatMul node. Name:'/y' Status Message: std::bad_alloc", 'std::bad_alloc'],
])('of %j the words for people are left, as one sentence', (thrown, reason) => {
  expect(failureReason(new Error(thrown))).toBe(reason);
  expect(failureReason(gpuFailure(new Error(thrown)))).toBe(reason);
  expect(gpuFailure(new Error(thrown)).message).toBe(`The GPU failed: ${reason}.`);
});
