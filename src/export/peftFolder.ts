/** @file An adapter as PEFT and vLLM take it, with its strength multiplied in. */
import { join } from 'node:path';
import { loraParameters } from '../core/adapters/lora.js';
import { adapterConfigFile, adapterTensorsFile, peftConfig, type Adapter } from '../core/adapters/peft.js';
import { encodedLength, encodeTensor } from '../core/formats/encodeTensor.js';
import { safetensorsHeader } from '../core/formats/safetensors.js';
import { elementCount } from '../core/shape.js';
import { readAdapterFor } from '../files/adapterFolder.js';
import { writeFlushed } from '../files/atomicWrite.js';
import type { ExportContext, Written } from './exportContext.js';
import { plainType } from './plannedWeights.js';

export function peftFolder({ model, dtype, strength }: ExportContext, adapter: Adapter): Written {
  const { config } = model.weights;
  const type = plainType(dtype);
  const { alpha, layers } = adapter.lora;
  const lora = { ...adapter.lora, alpha: strength * alpha, layers: layers?.length === config.layerCount ? null : layers };
  const tensors = loraParameters(config, lora)
    .map(({ name, shape }) => ({ name, type, shape }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const sizeBytes = tensors.reduce((sum, { shape }) => sum + encodedLength(type, elementCount(shape)), 0);
  return {
    sizeBytes,
    async write(folder, advance) {
      const json = JSON.stringify(peftConfig(lora, 0, adapter.baseModel), null, 2);
      writeFlushed(join(folder, adapterConfigFile), `${json}\n`);
      const data = tensors.map(({ name }) => encodeTensor(type, adapter.parameters.get(name)!.data));
      writeFlushed(join(folder, adapterTensorsFile), [safetensorsHeader(tensors, { format: 'pt' }), ...data]);
      await advance(sizeBytes);
    },
    open: (folder) => ({ weights: model.weights, adapter: readAdapterFor(config, folder), isOwn: false }),
  };
}
