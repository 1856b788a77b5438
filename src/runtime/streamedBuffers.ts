import { hostArray, type HostArray } from './device.js';
import type { Allocate } from './readMatrix.js';

/** One layer's memory, into which every streamed layer is read: fresh arrays would be collected too late. */
export class StreamedBuffers {
  private readonly buffers = new Map<string, HostArray>();

  /** Layers share buffers of the same length whose names differ only in the layer's number. */
  readonly allocate: Allocate = (name, dtype, length) => {
    const key = `${name.replace(/^model\.layers\.\d+\./, '')} ${dtype}[${length}]`;
    const buffer = this.buffers.get(key) ?? hostArray(dtype, length);
    this.buffers.set(key, buffer);
    return buffer;
  };
}

/** Memory for a device that copies its inputs: matrices pass through it one after the other. */
export class PassingBuffers {
  private readonly buffers = new Map<string, HostArray>();

  /** The parts of a matrix have different name endings, so they are held at the same time. */
  readonly allocate: Allocate = (name, dtype, length) => {
    const key = `${name.slice(name.lastIndexOf('.'))} ${dtype}`;
    const known = this.buffers.get(key);
    const buffer = known && known.length >= length ? known : hostArray(dtype, length);
    this.buffers.set(key, buffer);
    return buffer.subarray(0, length);
  };
}
