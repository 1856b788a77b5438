/** Random access to external bytes: a file on disk, or a buffer in tests. */
export interface ByteSource {
  /** A path, shown in error messages. */
  readonly name: string;
  /** Total length in bytes. */
  readonly size: number;
  /** Fills `into` from `offset`; throws UserError('file-unreadable') when the range does not exist. */
  read(offset: number, into: Uint8Array): void;
  close(): void;
}
