import { expect, test } from 'vitest';
import { ortTensor } from '../../../src/runtime/ortTensor.js';

/** As in Node 24, so that the test tells the same on Node 20; ONNX Runtime looks for it when the first tensor is made. */
class Float16Array extends Uint16Array {}
Object.assign(globalThis, { Float16Array });

test('16-bit floats stay in the memory that they are given in, as integers', () => {
  const bits = Uint16Array.of(0x3c00, 0xc000);
  const tensor = ortTensor('float16', [2], bits);
  expect(tensor.type).toBe('float16');
  expect(tensor.dims).toEqual([2]);
  expect(tensor.data).toBe(bits);
});
