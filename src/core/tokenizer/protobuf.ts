/** @file The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding/), as far as tokenizers need it. */
import { t } from '../../l10n/text.js';
import type { UserError } from '../errors.js';

type Refuse = (defect: string) => UserError;

/** The value of a field, by wire type: a number, or the place of bytes. */
type Value = number | Uint8Array;

/** Far above any vocabulary. */
const maxFields = 4_000_000;

/** Checks all fields of a message; those inside are checked when they are asked for. Throws what `refuse` creates. */
export function readMessage(bytes: Uint8Array, refuse: Refuse): Message {
  const reader = new WireReader(bytes, refuse);
  const fields = new Map<number, Value[]>();
  for (let count = 0; !reader.isAtEnd(); count++) {
    if (count === maxFields) throw refuse(t`it is impossibly long`);
    const key = reader.varint();
    const value = reader.value(key % 8);
    const number = Math.floor(key / 8);
    const values = fields.get(number);
    if (values) values.push(value);
    else fields.set(number, [value]);
  }
  return new Message(fields, refuse);
}

/** Of a field that occurs more than once, the last value counts, unless it is a list. */
export class Message {
  constructor(
    private readonly fields: ReadonlyMap<number, readonly Value[]>,
    private readonly refuse: Refuse,
  ) {}

  integer(number: number): number | undefined {
    const value = this.last(number);
    if (value instanceof Uint8Array) throw this.refuse(t`its field ${number} is no number`);
    return value;
  }

  flag(number: number): boolean | undefined {
    const value = this.integer(number);
    return value === undefined ? undefined : value !== 0;
  }

  float(number: number): number | undefined {
    const bits = this.integer(number);
    return bits === undefined ? undefined : new Float32Array(Uint32Array.of(bits).buffer)[0]!;
  }

  bytes(number: number): Uint8Array | undefined {
    const value = this.last(number);
    if (typeof value === 'number') throw this.refuse(t`its field ${number} is no text`);
    return value;
  }

  text(number: number): string | undefined {
    const bytes = this.bytes(number);
    return bytes && new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  }

  /** Empty if it is not there. */
  message(number: number): Message {
    return readMessage(this.bytes(number) ?? new Uint8Array(), this.refuse);
  }

  messages(number: number): Message[] {
    return (this.fields.get(number) ?? []).map((value) => {
      if (typeof value === 'number') throw this.refuse(t`its field ${number} is no text`);
      return readMessage(value, this.refuse);
    });
  }

  private last(number: number): Value | undefined {
    return this.fields.get(number)?.at(-1);
  }
}

class WireReader {
  private at = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly refuse: Refuse,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  /** Exact up to 2⁵³; numbers above, such as negative ones, are of no use here. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bytes[this.advance(1)]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw this.refuse(t`it is damaged`);
  }

  value(wireType: number): Value {
    switch (wireType) {
      case 0:
        return this.varint();
      case 1:
        return Number(this.view.getBigUint64(this.advance(8), true));
      case 2: {
        const length = this.varint();
        const start = this.advance(length);
        return this.bytes.subarray(start, start + length);
      }
      case 5:
        return this.view.getUint32(this.advance(4), true);
      default:
        throw this.refuse(t`it is damaged`);
    }
  }

  /** Consumes the next bytes and returns their position. */
  private advance(length: number): number {
    if (length > this.bytes.length - this.at) throw this.refuse(t`it is cut off`);
    this.at += length;
    return this.at - length;
  }
}
