/**
 * @file A restricted reader of Python pickles (https://docs.python.org/3/library/pickletools.html). A pickle is a program for a
 * stack machine that may call anything it can name. Here it can name only what the caller lists, and every call goes to the
 * caller's own function; nothing that the file contains is ever run. The instructions are those that PyTorch's own files use.
 */
import { t } from '../../l10n/text.js';
import type { UserError } from '../errors.js';
import { shownValue } from './shownValue.js';

/** Lists are arrays and dictionaries are maps; anything else that is an object comes from the caller. */
export type PickleValue = null | boolean | number | string | object;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A name that a pickle may call, with a tuple of arguments. */
export class PickleFunction {
  constructor(readonly call: (items: readonly PickleValue[]) => PickleValue) {}
}

export interface PickleReader {
  /** What the name stands for; undefined refuses the pickle. */
  readonly global: (name: string) => object | undefined;
  /** An object kept outside the pickle. */
  readonly persistent: (id: PickleValue) => PickleValue;
  /** Creates the error from a defect. */
  readonly refuse: (defect: string) => UserError;
}

/** Enough for 16,000 tensors, but too few to exhaust memory. */
const maxInstructions = 500_000;

export function parsePickle(bytes: Uint8Array, reader: PickleReader): PickleValue {
  return new Unpickler(bytes, reader).run();
}

class Unpickler {
  private at = 0;
  private stack: PickleValue[] = [];
  /** The stacks below each mark. */
  private readonly marked: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly reader: PickleReader,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): PickleValue {
    for (let count = 0; count < maxInstructions; count++) {
      const code = this.byte();
      if (code === stop) return this.pop();
      const instruction = instructions[code];
      if (!instruction) throw this.refuse(t`it uses the instruction ${instructionName(code)}, which no file of tensors needs`);
      instruction(this);
    }
    throw this.refuse(t`it is impossibly long`);
  }

  push(value: PickleValue): void {
    this.stack.push(value);
  }

  pop(): PickleValue {
    if (this.stack.length === 0) throw this.refuse(t`it takes more from its stack than is there`);
    return this.stack.pop()!;
  }

  top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.marked.push(this.stack);
    this.stack = [];
  }

  popToMark(): PickleValue[] {
    const items = this.stack;
    const below = this.marked.pop();
    if (!below) throw this.refuse(t`it takes more from its stack than is there`);
    this.stack = below;
    return items;
  }

  popTuple(length: number): void {
    const items = Array.from({ length }, () => this.pop());
    this.push(new PickleTuple(items.reverse()));
  }

  remember(key: number): void {
    this.memo.set(key, this.top());
  }

  rememberNext(): void {
    this.remember(this.memo.size);
  }

  recall(key: number): void {
    if (!this.memo.has(key)) throw this.refuse(t`it recalls a value that it never kept`);
    this.push(this.memo.get(key)!);
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.refuse(t`it adds items to something that is no list`);
    for (const value of values) list.push(value);
  }

  setItems(values: readonly PickleValue[]): void {
    const map = this.top();
    if (!(map instanceof Map) || values.length % 2 !== 0)
      throw this.refuse(t`it adds entries to something that is no dictionary`);
    for (let i = 0; i < values.length; i += 2) map.set(values[i], values[i + 1]);
  }

  setItem(): void {
    const value = this.pop();
    this.setItems([this.pop(), value]);
  }

  pushGlobal(module: PickleValue, name: PickleValue): void {
    const full = `${String(module)}.${String(name)}`;
    const global = this.reader.global(full);
    if (!global) throw this.refuse(t`it names ${shownValue(full)}, which is not part of a tensor. It was not run`);
    this.push(global);
  }

  /** Protocol 0's way to call a class, which is refused by the class's name if that is unknown as well. */
  makeInstance(): void {
    this.pushGlobal(this.line(), this.line());
    throw this.refuse(t`it uses the instruction ${'INST'}, which no file of tensors needs`);
  }

  call(): void {
    const [items, callee] = [this.pop(), this.pop()];
    if (!(callee instanceof PickleFunction && items instanceof PickleTuple)) throw this.refuse(t`it calls what is no function`);
    this.push(callee.call(items.items));
  }

  /** Ordered dictionaries come with attributes, such as the versions of PyTorch's modules, which nothing here reads. */
  dropAttributes(): void {
    this.pop();
    if (!(this.top() instanceof Map)) throw this.refuse(t`it sets attributes of something that is no dictionary`);
  }

  loadPersistent(): void {
    this.push(this.reader.persistent(this.pop()));
  }

  byte(): number {
    return this.view.getUint8(this.advance(1));
  }

  uint16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  int32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  uint32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  float64(): number {
    return this.view.getFloat64(this.advance(8), false);
  }

  /** A two's complement number of up to eight bytes. */
  long(): number {
    const length = this.byte();
    if (length > 8) throw this.refuse(t`it holds a number of ${length} bytes`);
    let value = 0n;
    for (let i = 0; i < length; i++) value |= BigInt(this.byte()) << BigInt(8 * i);
    return Number(BigInt.asIntN(8 * length, value));
  }

  text(length: number): string {
    const start = this.advance(length);
    return new TextDecoder().decode(this.bytes.subarray(start, start + length));
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    const text = this.text((end < 0 ? this.bytes.length : end) - this.at);
    this.advance(1);
    return text;
  }

  /** Consumes the next bytes and returns their position. */
  advance(length: number): number {
    if (length > this.bytes.length - this.at) throw this.refuse(t`it is cut off`);
    this.at += length;
    return this.at - length;
  }

  requireProtocol(version: number): void {
    if (version > 5) throw this.refuse(t`it uses version ${version} of the pickle format`);
  }

  private refuse(defect: string): UserError {
    return this.reader.refuse(defect);
  }
}

const stop = 0x2e;

/** By code. Protocol 2 is what torch.save writes; 4 adds short texts, names from the stack, frames and implicit memo keys. */
const instructions: Readonly<Record<number, (pickle: Unpickler) => void>> = {
  0x80: (p) => p.requireProtocol(p.byte()), // PROTO
  0x95: (p) => void p.advance(8), // FRAME
  0x28: (p) => p.mark(), // MARK
  0x4e: (p) => p.push(null), // NONE
  0x88: (p) => p.push(true), // NEWTRUE
  0x89: (p) => p.push(false), // NEWFALSE
  0x4b: (p) => p.push(p.byte()), // BININT1
  0x4d: (p) => p.push(p.uint16()), // BININT2
  0x4a: (p) => p.push(p.int32()), // BININT
  0x8a: (p) => p.push(p.long()), // LONG1
  0x47: (p) => p.push(p.float64()), // BINFLOAT
  0x58: (p) => p.push(p.text(p.uint32())), // BINUNICODE
  0x8c: (p) => p.push(p.text(p.byte())), // SHORT_BINUNICODE
  0x5d: (p) => p.push([]), // EMPTY_LIST
  0x7d: (p) => p.push(new Map()), // EMPTY_DICT
  0x29: (p) => p.popTuple(0), // EMPTY_TUPLE
  0x85: (p) => p.popTuple(1), // TUPLE1
  0x86: (p) => p.popTuple(2), // TUPLE2
  0x87: (p) => p.popTuple(3), // TUPLE3
  0x74: (p) => p.push(new PickleTuple(p.popToMark())), // TUPLE
  0x61: (p) => p.append([p.pop()]), // APPEND
  0x65: (p) => p.append(p.popToMark()), // APPENDS
  0x73: (p) => p.setItem(), // SETITEM
  0x75: (p) => p.setItems(p.popToMark()), // SETITEMS
  0x71: (p) => p.remember(p.byte()), // BINPUT
  0x72: (p) => p.remember(p.uint32()), // LONG_BINPUT
  0x94: (p) => p.rememberNext(), // MEMOIZE
  0x68: (p) => p.recall(p.byte()), // BINGET
  0x6a: (p) => p.recall(p.uint32()), // LONG_BINGET
  0x63: (p) => p.pushGlobal(p.line(), p.line()), // GLOBAL
  0x69: (p) => p.makeInstance(), // INST
  0x93: (p) => pushNamed(p), // STACK_GLOBAL
  0x52: (p) => p.call(), // REDUCE
  0x62: (p) => p.dropAttributes(), // BUILD
  0x51: (p) => p.loadPersistent(), // BINPERSID
};

function pushNamed(pickle: Unpickler): void {
  const [name, module] = [pickle.pop(), pickle.pop()];
  pickle.pushGlobal(module, name);
}

/** Instructions that a tampered file is likely to have. */
const names: Readonly<Record<number, string>> = {
  0x30: 'POP',
  0x32: 'DUP',
  0x50: 'PERSID',
  0x6f: 'OBJ',
  0x81: 'NEWOBJ',
  0x82: 'EXT1',
  0x83: 'EXT2',
  0x84: 'EXT4',
  0x92: 'NEWOBJ_EX',
};

function instructionName(code: number): string {
  return names[code] ?? `0x${code.toString(16).padStart(2, '0')}`;
}
