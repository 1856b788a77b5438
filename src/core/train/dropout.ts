/**
 * @file Dropout masks that depend only on seed, layer and position: the backward pass, checkpointing and a resumed run see the
 * same mask, on every device. Implemented twice, as arithmetic on the host and as a program, both over integers modulo 2³².
 *
 * All pairs of neighbouring columns in a layer's masks are numbered consecutively. With x = hash(row) + hash(pair) + seed and an
 * odd multiplier made from layer and seed, h = x · (2x + multiplier) is a permutation whose high bits depend on all bits of x
 * (from RC6, https://people.csail.mit.edu/rivest/pubs/RRSY98.pdf). Its high half and the sum of its halves are the 16-bit draws
 * for the two columns.
 */
import type { LoraShape } from '../adapters/lora.js';
import { GraphBuilder } from '../graph/builder.js';
import { makeProgram } from '../graph/program.js';
import type { Program, Value } from '../graph/types.js';
import type { ModelConfig } from '../models/config.js';
import { inputOf, linearShape, type LinearName } from '../models/linears.js';
import { hash32 } from '../random.js';
import type { Shape } from '../shape.js';

/** The mask for a linear's adapter input; linears that read the same activation share one. */
export function dropoutMask(linear: LinearName): string {
  return `dropout.${inputOf(linear).name}`;
}

interface MaskColumns {
  readonly name: string;
  readonly width: number;
  /** Its column pairs in the numbering of all masks are `start` … `end` − 1. */
  readonly start: number;
  readonly end: number;
}

/** The masks that an adapter needs in each layer. */
function maskColumns(config: ModelConfig, lora: LoraShape): MaskColumns[] {
  const widths = new Map(lora.targetModules.map((linear) => [dropoutMask(linear), linearShape(config, linear)[1]]));
  let end = 0;
  return [...widths].map(([name, width]) => ({ name, width, start: end, end: (end += Math.ceil(width / 2)) }));
}

const halfWord = 2 ** 16;
const rowHash = (row: number): number => hash32(row, 0);
const pairHash = (pair: number): number => hash32(pair, 1);

/** An odd number that distinguishes the masks of different layers. */
export function layerKey(layer: number): number {
  return hash32(layer, 2) | 1;
}

/** An element is kept if its draw, as a signed 16-bit number, is at least this. */
function minKept(probability: number): number {
  return Math.round(probability * halfWord) - halfWord / 2;
}

/** seed and layer_key [1, 1] int32 → the masks [N, width] of a layer: true for elements that are kept. */
export function dropoutProgram(config: ModelConfig, lora: LoraShape, probability: number, rows: number): Program {
  const b = new GraphBuilder();
  const hashes = (count: number, shape: Shape, hash: (i: number) => number): Value =>
    b.constant(
      Array.from({ length: count }, (_, i) => hash(i)),
      shape,
      'int32',
    );
  const shift = b.scalar(halfWord, 'int32');
  const threshold = b.scalar(minKept(probability) * halfWord, 'int32');
  const seed = b.input('seed', [1, 1], 'int32');
  const ofRows = b.add(hashes(rows, [rows, 1], rowHash), seed);
  const multiplier = b.add(b.input('layer_key', [1, 1], 'int32'), b.add(seed, seed));
  const outputs = maskColumns(config, lora).map(({ name, width, start, end }): [string, Value] => {
    const pairs = end - start;
    const x = b.add(
      ofRows,
      hashes(pairs, [1, pairs], (pair) => pairHash(start + pair)),
    ); // [N, pairs]
    const h = b.multiply(x, b.add(b.add(x, x), multiplier));
    const sum = b.multiply(b.add(h, b.divide(h, shift)), shift);
    const draws = b.concat(
      [h, sum].map((draw) => b.reshape(draw, [rows, pairs, 1])),
      2,
    );
    const kept = b.lessOrEqual(threshold, b.reshape(draws, [rows, 2 * pairs]));
    // WebGPU can slice only floats.
    return [name, width % 2 === 0 ? kept : b.cast(b.slice(b.cast(kept, 'float32'), 1, 0, width), 'bool')];
  });
  return makeProgram('dropout', Object.fromEntries(outputs));
}

/** Computes the same as dropoutProgram without integer tensors, which is several times cheaper on a CPU. */
export class HostDropout {
  readonly masks: readonly MaskColumns[];
  private readonly rowHashes: Int32Array;
  private readonly pairHashes: Int32Array;
  private readonly maxDropped: number;

  constructor(config: ModelConfig, lora: LoraShape, probability: number, rows: number) {
    this.masks = maskColumns(config, lora);
    this.rowHashes = Int32Array.from({ length: rows }, (_, row) => rowHash(row));
    this.pairHashes = Int32Array.from({ length: this.masks.at(-1)!.end }, (_, pair) => pairHash(pair));
    this.maxDropped = minKept(probability) - 1;
  }

  /** Writes a mask [N, width] of 0 and 1, using signs of differences instead of comparisons: branches on random bits are slow. */
  write(into: Uint8Array, { width, start, end }: MaskColumns, seed: number, layer: number): void {
    const { rowHashes, maxDropped } = this;
    const pairHashes = this.pairHashes.subarray(start, end);
    const multiplier = (layerKey(layer) + 2 * seed) | 0;
    for (let row = 0; row < rowHashes.length; row++) {
      const ofRow = (rowHashes[row]! + seed) | 0;
      for (let pair = 0, at = row * width; pair < pairHashes.length; pair++, at += 2) {
        const x = (ofRow + pairHashes[pair]!) | 0;
        const h = Math.imul(x, (x + x + multiplier) | 0);
        const high = (h + ((h >> 31) & 0xffff)) >> 16; // h / 2¹⁶, towards zero
        into[at] = (maxDropped - (h >> 16)) >>> 31;
        into[at + 1] = (maxDropped - (((h + high) << 16) >> 16)) >>> 31; // with odd width, the next row overwrites the last one
      }
    }
  }
}
