import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';
import { decodeTensor } from '../core/formats/decodeTensor.js';
import { elementCount, sameShape } from '../core/graph/types.js';
import type { LlamaConfig } from '../core/llama/config.js';
import { expectedWeights, unpermuteRows } from '../core/llama/weightNames.js';
import type { WeightInfo, WeightStore } from '../core/llama/weights.js';

/** Reads weights from open files when they are asked for. Every shape has been checked against the config before. */
export class FileWeightStore implements WeightStore {
  constructor(
    readonly config: LlamaConfig,
    private readonly infos: ReadonlyMap<string, WeightInfo>,
    private readonly sources: ReadonlyMap<string, ByteSource>,
    where: string,
  ) {
    checkAgainstConfig(config, infos, where);
  }

  info(name: string): WeightInfo | undefined {
    return this.infos.get(name);
  }

  names(): readonly string[] {
    return [...this.infos.keys()];
  }

  readFloat32(name: string, into?: Float32Array): Float32Array {
    const info = this.infos.get(name);
    if (!info) throw new Error(`internal: the model has no weight ${name}`);
    const values = into ?? new Float32Array(elementCount(info.shape));
    decodeTensor(this.sources.get(info.file)!, info, values);
    if (info.permutedRows) unpermuteRows(values, this.config.headDim, info.shape[1] ?? 1);
    return values;
  }

  readStored(name: string): Uint8Array {
    const { file, offset, byteLength } = this.infos.get(name)!;
    const bytes = new Uint8Array(byteLength);
    this.sources.get(file)!.read(offset, bytes);
    return bytes;
  }

  close(): void {
    this.sources.forEach((source) => source.close());
  }
}

function checkAgainstConfig(config: LlamaConfig, infos: ReadonlyMap<string, WeightInfo>, where: string): void {
  for (const [name, shape] of expectedWeights(config)) {
    const info = infos.get(name);
    if (!info) throw new UserError('file-corrupt', `${where} has no weight ${name}, which its config asks for. Is a file missing?`);
    if (!sameShape(info.shape, shape)) {
      const message = `${info.file}: ${name} is [${info.shape.join(', ')}] where the config asks for [${shape.join(', ')}].`;
      throw new UserError('file-corrupt', message);
    }
  }
}
