/** @file What is left of an inserted text while the document around it is edited. */

/** An edit: `removed` characters at `offset` were replaced by `inserted` others. */
export interface TextEdit {
  readonly offset: number;
  readonly removed: number;
  readonly inserted: number;
}

/** Counts characters that no edit has removed; what is typed in between does not count. */
export class SurvivingText {
  /** [start, end) in the document, in order. */
  private pieces: readonly (readonly [number, number])[];

  constructor(offset: number, length: number) {
    this.pieces = [[offset, offset + length]];
  }

  get characters(): number {
    return this.pieces.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  edit({ offset, removed, inserted }: TextEdit): void {
    const end = offset + removed;
    const moved = inserted - removed;
    this.pieces = this.pieces
      .flatMap(([from, to]): (readonly [number, number])[] => [
        [from, Math.min(to, offset)],
        [Math.max(from, end) + moved, to + moved],
      ])
      .filter(([from, to]) => from < to);
  }
}
