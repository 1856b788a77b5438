import type { Shape } from '../shape.js';

/** An fp32 tensor in host memory, row-major. */
export interface HostTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** The total number of elements of all tensors. */
export function totalElements(tensors: ReadonlyMap<string, HostTensor>): number {
  return [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
}
