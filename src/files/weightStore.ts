import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';
import { decodeTensor } from '../core/formats/decodeTensor.js';
import type { ModelConfig } from '../core/models/config.js';
import { familyOf } from '../core/models/registry.js';
import { unpermuteRows } from '../core/models/rowOrder.js';
import type { WeightInfo, WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import { elementCount, sameShape } from '../core/shape.js';
import { t } from '../l10n/text.js';

/** Reads weights from open files on demand. Every shape has already been checked against the config. */
export class FileWeightStore implements WeightStore {
  private readonly infos: ReadonlyMap<string, WeightInfo>;

  /** Throws UserError if `found` does not match the config; `where` is the file or folder that should contain the weights. */
  constructor(
    readonly config: ModelConfig,
    found: ReadonlyMap<string, WeightInfo>,
    private readonly sources: ReadonlyMap<string, ByteSource>,
    where: string,
  ) {
    this.infos = checkedWeights(config, found, where);
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
    if (values.length !== elementCount(info.shape)) throw new Error(`internal: ${values.length} places for ${name}`);
    this.readRows(name, 0, values);
    return values;
  }

  readRows(name: string, firstRow: number, into: Float32Array): void {
    const info = this.infos.get(name)!;
    const [rowCount, rowLength = 1] = info.shape as [number, number?];
    const rowBytes = info.byteLength / rowCount;
    const rows = { ...info, offset: info.offset + firstRow * rowBytes, byteLength: (into.length / rowLength) * rowBytes };
    decodeTensor(this.sources.get(info.file)!, rows, into);
    if (info.permutedRows) unpermuteRows(into, this.config.headDim, rowLength);
    if (info.lessOne) for (let i = 0; i < into.length; i++) into[i]! += 1;
  }

  readStored(name: string, offset: number, into: Uint8Array): void {
    const info = this.infos.get(name)!;
    this.sources.get(info.file)!.read(info.offset + offset, into);
  }

  close(): void {
    this.sources.forEach((source) => source.close());
  }
}

/** Checks that `found` contains the weights that the config asks for, each in the right shape, and no others. */
function checkedWeights(config: ModelConfig, found: ReadonlyMap<string, WeightInfo>, where: string): Map<string, WeightInfo> {
  const weights = new Map<string, WeightInfo>();
  for (const { name, shape } of weightTable(config).all) {
    const info = found.get(name);
    if (!info) {
      throw new UserError('file-corrupt', t`${where} has no weight ${name}, which its config asks for. Is a file missing?`);
    }
    if (!sameShape(info.shape, shape)) {
      const message = t`${info.file}: ${name} is [${info.shape.join(', ')}] where the config asks for [${shape.join(', ')}].`;
      throw new UserError('file-corrupt', message);
    }
    weights.set(name, info);
  }
  for (const { name, file } of found.values()) {
    if (weights.has(name) || isDerived(name, config)) continue;
    const message = t`${file} holds the weight ${name}, which a ${familyOf(config).architecture} with this config does not have.`;
    throw new UserError('model-unsupported', message);
  }
  return weights;
}

/** Older checkpoints also store the rotary frequencies, which follow from the config; some store a tied head a second time. */
function isDerived(name: string, config: ModelConfig): boolean {
  return name.endsWith('rotary_emb.inv_freq') || (config.tiedEmbeddings && name === 'lm_head.weight');
}
