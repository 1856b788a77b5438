import type { DType } from '../core/graph/types.js';
import { hostArray, type HostArray } from './device.js';

/** One layer's memory, into which every streamed layer is read: fresh arrays would be garbage that is collected late. */
export class StreamedBuffers {
  private readonly buffers = new Map<string, HostArray>();

  /** Layers share what has the same name but for the layer's number, and the same length. */
  readonly allocate = (name: string, dtype: DType, length: number): HostArray => {
    const key = `${name.replace(/^model\.layers\.\d+\./, '')} ${dtype}[${length}]`;
    const buffer = this.buffers.get(key) ?? hostArray(dtype, length);
    this.buffers.set(key, buffer);
    return buffer;
  };
}
