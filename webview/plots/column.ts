/** Values per block with known extremes. */
const blockSize = 256;

/** A growing column of numbers that tracks where its extremes are, so that a million values are drawn as fast as a thousand. */
export class Column {
  private values = new Float64Array(1024);
  /** Indices of the lowest and the highest value of each full block. */
  private least: number[] = [];
  private greatest: number[] = [];
  private count = 0;

  get length(): number {
    return this.count;
  }

  at(index: number): number {
    return this.values[index]!;
  }

  get last(): number | undefined {
    return this.count > 0 ? this.values[this.count - 1] : undefined;
  }

  push(value: number): void {
    if (this.count === this.values.length) {
      const larger = new Float64Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.count++] = value;
    if (this.count % blockSize === 0) this.closeBlock();
  }

  clear(): void {
    this.count = 0;
    this.least = [];
    this.greatest = [];
  }

  private closeBlock(): void {
    const [least, greatest] = this.scan(this.count - blockSize, this.count);
    this.least.push(least);
    this.greatest.push(greatest);
  }

  /** Indices of the lowest and the highest value in [from, to), which must not be empty. */
  extremes(from: number, to: number): readonly [number, number] {
    const firstBlock = Math.ceil(from / blockSize);
    const endBlock = Math.floor(to / blockSize);
    if (endBlock <= firstBlock) return this.scan(from, to);
    const candidates = [...this.least.slice(firstBlock, endBlock), ...this.greatest.slice(firstBlock, endBlock)];
    if (from < firstBlock * blockSize) candidates.push(...this.scan(from, firstBlock * blockSize));
    if (endBlock * blockSize < to) candidates.push(...this.scan(endBlock * blockSize, to));
    return this.extremesOf(candidates);
  }

  private extremesOf(indices: readonly number[]): readonly [number, number] {
    let least = indices[0]!;
    let greatest = least;
    for (const index of indices) {
      if (this.values[index]! < this.values[least]!) least = index;
      if (this.values[index]! > this.values[greatest]!) greatest = index;
    }
    return [least, greatest];
  }

  private scan(from: number, to: number): readonly [number, number] {
    let least = from;
    let greatest = from;
    for (let index = from + 1; index < to; index++) {
      if (this.values[index]! < this.values[least]!) least = index;
      if (this.values[index]! > this.values[greatest]!) greatest = index;
    }
    return [least, greatest];
  }

  /** In an ascending column: the first index whose value is at least `value`, or the length if there is none. */
  lowerBound(value: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.values[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** In an ascending column: the index of the value closest to `value`; undefined if the column is empty. */
  nearest(value: number): number | undefined {
    if (this.count === 0) return undefined;
    const after = Math.min(this.lowerBound(value), this.count - 1);
    const before = Math.max(0, after - 1);
    return value - this.values[before]! < this.values[after]! - value ? before : after;
  }
}
