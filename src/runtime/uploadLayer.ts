import type { LinearForms } from '../core/models/linear.js';
import { inputOf, smoothingName, type LinearName } from '../core/models/linears.js';
import type { WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import type { Device, DeviceTensor } from './device.js';
import { readMatrix, type Allocate } from './readMatrix.js';

/** By name of a linear's input (linearInputs), the factors [in] that make its channels about equally loud. */
export type LayerSmoothing = ReadonlyMap<string, Float32Array>;

/** A layer's weights, under the names that the block programs use. Products in integers need `smoothing`. */
export async function uploadLayer(
  store: WeightStore,
  device: Device,
  layer: number,
  forms: LinearForms,
  allocate?: Allocate,
  smoothing: LayerSmoothing = new Map(),
): Promise<ReadonlyMap<string, DeviceTensor>> {
  const tensors = new Map<string, DeviceTensor>();
  for (const [name, factors] of smoothing)
    tensors.set(smoothingName(name), await device.upload('float32', [factors.length], factors));
  for (const { role, kind, name, shape } of weightTable(store.config).layer(layer)) {
    if (kind === 'vector') {
      tensors.set(role, await device.upload('float32', shape, store.readFloat32(name)));
      continue;
    }
    const linear = role.slice(0, -'.weight'.length) as LinearName;
    for (const part of readMatrix(store, name, forms[linear], allocate, undefined, smoothing.get(inputOf(linear).name))) {
      tensors.set(role + part.suffix, await device.upload(part.dtype, part.shape, part.data));
    }
  }
  return tensors;
}
