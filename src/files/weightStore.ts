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

/** The part of a weight that one file holds: all of it, or a rectangle of a matrix, whose rows follow one another there. */
export interface WeightPart {
  readonly file: string;
  readonly offset: number;
  readonly firstRow: number;
  readonly rows: number;
  readonly firstColumn: number;
  /** 1 for a vector, whose elements count as rows. */
  readonly columns: number;
}

/** A weight and where its parts lie; together they cover it. */
export interface FileWeight extends WeightInfo {
  readonly parts: readonly WeightPart[];
}

/** The only part of a weight that lies in one file. */
export function wholePart(file: string, offset: number, [rows, columns = 1]: readonly number[]): WeightPart {
  return { file, offset, firstRow: 0, rows: rows!, firstColumn: 0, columns };
}

/** Reads weights from open files on demand. Every shape has already been checked against the config. */
export class FileWeightStore implements WeightStore {
  private readonly weights: ReadonlyMap<string, FileWeight>;

  /** Throws UserError if `found` does not match the config; `where` is the file or folder that should contain the weights. */
  constructor(
    readonly config: ModelConfig,
    found: ReadonlyMap<string, FileWeight>,
    private readonly sources: ReadonlyMap<string, ByteSource>,
    where: string,
  ) {
    this.weights = checkedWeights(config, found, where);
  }

  info(name: string): WeightInfo | undefined {
    return this.weights.get(name);
  }

  names(): readonly string[] {
    return [...this.weights.keys()];
  }

  readFloat32(name: string, into?: Float32Array): Float32Array {
    const info = this.weights.get(name);
    if (!info) throw new Error(`internal: the model has no weight ${name}`);
    const values = into ?? new Float32Array(elementCount(info.shape));
    if (values.length !== elementCount(info.shape)) throw new Error(`internal: ${values.length} places for ${name}`);
    this.readRows(name, 0, values);
    return values;
  }

  readRows(name: string, firstRow: number, into: Float32Array): void {
    const weight = this.weights.get(name)!;
    const { storedType, shape, byteLength, permutedRows, lessOne } = weight;
    const [rowCount, rowLength = 1] = shape as [number, number?];
    const bytesPerElement = byteLength / (rowCount * rowLength);
    joinParts(weight, firstRow, into, rowLength, ({ file, offset }, element, values) => {
      const place = { offset: offset + element * bytesPerElement, byteLength: values.length * bytesPerElement };
      decodeTensor(this.sources.get(file)!, { name, storedType, ...place }, values);
    });
    if (permutedRows) unpermuteRows(into, this.config.headDim, rowLength);
    if (lessOne) for (let i = 0; i < into.length; i++) into[i]! += 1;
  }

  readStoredRows(name: string, firstRow: number, into: Uint8Array): void {
    const weight = this.weights.get(name)!;
    joinParts(weight, firstRow, into, weight.byteLength / weight.shape[0]!, ({ file, offset }, byte, bytes) =>
      this.sources.get(file)!.read(offset + byte, bytes),
    );
  }

  close(): void {
    this.sources.forEach((source) => source.close());
  }
}

/**
 * Fills `into` with rows of a weight from the parts that hold some of them. `rowLength` is the length of a row in elements of
 * `into`: numbers, or stored bytes. `read` gets a part, a position in it in the same unit, and what to fill from there.
 */
function joinParts<Data extends Float32Array | Uint8Array>(
  { shape, parts }: FileWeight,
  firstRow: number,
  into: Data,
  rowLength: number,
  read: (part: WeightPart, position: number, into: Data) => void,
): void {
  const perColumn = rowLength / (shape[1] ?? 1);
  const endRow = firstRow + into.length / rowLength;
  for (const part of parts) {
    const [from, to] = [Math.max(firstRow, part.firstRow), Math.min(endRow, part.firstRow + part.rows)];
    if (from >= to) continue;
    const width = part.columns * perColumn;
    const rows = into.subarray((from - firstRow) * rowLength, (to - firstRow) * rowLength) as Data;
    const own = width === rowLength ? rows : (rows.slice(0, (to - from) * width) as Data);
    read(part, (from - part.firstRow) * width, own);
    if (own !== rows) placeColumns(own, width, rows, rowLength, part.firstColumn * perColumn);
  }
}

/** Copies a part's rows into the columns that it covers. */
function placeColumns<Data extends Float32Array | Uint8Array>(
  own: Data,
  width: number,
  into: Data,
  rowLength: number,
  firstColumn: number,
): void {
  for (let row = 0, start = firstColumn; row < own.length / width; row++, start += rowLength) {
    into.set(own.subarray(row * width, (row + 1) * width), start);
  }
}

/** Checks that `found` contains the weights that the config asks for, each in the right shape, and no others. */
function checkedWeights(config: ModelConfig, found: ReadonlyMap<string, FileWeight>, where: string): Map<string, FileWeight> {
  const weights = new Map<string, FileWeight>();
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
