/**
 * @file Files written by torch.save (https://docs.pytorch.org/docs/stable/notes/serialization.html): a ZIP archive with a pickle
 * that describes the tensors by name, and one entry of raw bytes for each storage. Only descriptions of tensors are understood.
 */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { elementCount } from '../shape.js';
import type { ByteSource } from './byteSource.js';
import { parsePickle, PickleFunction, PickleTuple, type PickleReader, type PickleValue } from './pickle.js';
import { shortened, shownValue } from './shownValue.js';
import { bytesPerElement, type ElementType, type TensorEntry } from './tensorEntry.js';
import { readZip, type ZipEntry } from './zip.js';

/** The description of 16,000 tensors takes a tenth of this. */
const largestPickle = 16 * 2 ** 20;
const maxAxes = 8;

const storageTypes: Readonly<Record<string, ElementType>> = {
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.DoubleStorage': 'F64',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};

/**
 * Reads the names, types, shapes and places of all tensors, and checks them against the archive. Throws UserError('file-corrupt'
 * or 'file-unsupported') naming the file and the defect, and whatever its pickle names besides tensors.
 */
export function parseTorchFile(source: ByteSource): { tensors: ReadonlyMap<string, TensorEntry> } {
  refuseOldFormat(source);
  const refuse = (defect: string) => corrupt(source, defect);
  const entries = readZip(source, refuse);
  const folder = archiveFolder(entries, refuse);
  checkByteOrder(source, entries.get(`${folder}byteorder`));
  const description = entries.get(`${folder}data.pkl`)!;
  if (description.byteLength > largestPickle) throw refuse(t`its description of tensors has ${description.byteLength} bytes`);
  const root = parsePickle(contents(source, description), new TensorPickle(entries, `${folder}data/`, refuse));
  return { tensors: namedTensors(root, refuse) };
}

/** Until version 1.6, PyTorch wrote several pickles one after another instead of a ZIP archive. */
function refuseOldFormat(source: ByteSource): void {
  const start = new Uint8Array(Math.min(2, source.size));
  source.read(0, start);
  if (start[0] !== 0x80) return;
  const advice = t`Load it with torch.load and save it with safetensors' save_file, or use the model as safetensors.`;
  throw new UserError('file-unsupported', t`${source.name} has the format of PyTorch before 1.6, which is not read. ${advice}`);
}

/** All entries lie in one folder, whose name is that of the file when it was saved. */
function archiveFolder(entries: ReadonlyMap<string, ZipEntry>, refuse: (defect: string) => UserError): string {
  const folders = [...entries.keys()].flatMap((name) => /^([^/]+\/)data\.pkl$/.exec(name)?.[1] ?? []);
  if (folders.length === 1) return folders[0]!;
  throw refuse(t`it has ${folders.length} descriptions of tensors (data.pkl) instead of one`);
}

function checkByteOrder(source: ByteSource, entry: ZipEntry | undefined): void {
  if (!entry) return; // Versions before 2.1 do not say, and were in practice always little-endian.
  const order = entry.byteLength > 16 ? '' : new TextDecoder().decode(contents(source, entry)).trim();
  if (order === 'little') return;
  const advice = t`Save it again on a machine with the usual byte order, or use the model as safetensors.`;
  throw new UserError(
    'file-unsupported',
    t`${source.name} has the byte order ${shownValue(order)}, which is not read. ${advice}`,
  );
}

function contents(source: ByteSource, { offset, byteLength }: ZipEntry): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  source.read(offset, bytes);
  return bytes;
}

class Storage {
  constructor(
    readonly type: ElementType,
    readonly entry: ZipEntry,
  ) {}
}

class Tensor {
  constructor(
    readonly storage: Storage,
    /** In elements. */
    readonly start: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** What a pickle of tensors may name, and what that means. */
class TensorPickle implements PickleReader {
  private readonly storages = new Map<string, Storage>();
  private readonly globals: ReadonlyMap<string, StorageType | PickleFunction>;

  constructor(
    private readonly entries: ReadonlyMap<string, ZipEntry>,
    private readonly folder: string,
    readonly refuse: (defect: string) => UserError,
  ) {
    this.globals = new Map<string, StorageType | PickleFunction>([
      ...Object.entries(storageTypes).map(([name, type]) => [name, new StorageType(type)] as const),
      ['collections.OrderedDict', new PickleFunction((items) => this.orderedDictionary(items))],
      ['torch._utils._rebuild_tensor_v2', new PickleFunction((items) => this.tensor(items))],
      ['torch._utils._rebuild_parameter', new PickleFunction((items) => this.parameter(items))],
    ]);
  }

  readonly global = (name: string) => this.globals.get(name);

  /** ('storage', type, key, device, number of elements) */
  readonly persistent = (id: PickleValue): Storage => {
    const [kind, type, key, , count] = id instanceof PickleTuple ? id.items : [];
    if (kind !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string' || !isLength(count))
      throw this.refuse(t`it describes a storage in an unknown way`);
    const known = this.storages.get(key);
    if (known && known.type !== type.elements) throw this.refuse(t`its storage ${shownValue(key)} has two types`);
    const storage = known ?? new Storage(type.elements, this.storageEntry(key));
    const needed = count * bytesPerElement[storage.type];
    const { byteLength } = storage.entry;
    if (needed !== byteLength)
      throw this.refuse(t`its storage ${shownValue(key)} should have ${needed} bytes but has ${byteLength}`);
    this.storages.set(key, storage);
    return storage;
  };

  private storageEntry(key: string): ZipEntry {
    const entry = this.entries.get(this.folder + key);
    if (!entry) throw this.refuse(t`its storage ${shownValue(key)} is missing`);
    return entry;
  }

  private orderedDictionary(items: readonly PickleValue[]): Map<PickleValue, PickleValue> {
    if (items.length > 0) throw this.refuse(t`it fills a dictionary in an unknown way`);
    return new Map();
  }

  /** (storage, first element, shape, strides, whether it has a gradient, hooks) */
  private tensor([storage, start, shape, strides]: readonly PickleValue[]): Tensor {
    const [lengths, steps] = [shape, strides].map((value) => (value instanceof PickleTuple ? value.items : []));
    const isKnown =
      storage instanceof Storage &&
      isLength(start) &&
      shape instanceof PickleTuple &&
      lengths!.length <= maxAxes &&
      lengths!.length === steps!.length &&
      [...lengths!, ...steps!].every(isLength);
    if (!isKnown) throw this.refuse(t`it describes a tensor in an unknown way`);
    return new Tensor(storage, start, lengths as number[], steps as number[]);
  }

  /** (tensor, whether it has a gradient, hooks) */
  private parameter([tensor]: readonly PickleValue[]): Tensor {
    if (tensor instanceof Tensor) return tensor;
    throw this.refuse(t`it describes a tensor in an unknown way`);
  }
}

/** The class of a storage, which is only ever named. */
class StorageType {
  constructor(readonly elements: ElementType) {}
}

function isLength(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function namedTensors(root: PickleValue, refuse: (defect: string) => UserError): Map<string, TensorEntry> {
  if (!(root instanceof Map)) throw refuse(t`it does not hold tensors by name`);
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of root as Map<PickleValue, PickleValue>) {
    if (typeof name !== 'string' || !(value instanceof Tensor)) throw refuse(t`its entry ${shownValue(name)} is not a tensor`);
    tensors.set(name, tensorEntry(name, value, refuse));
  }
  return tensors;
}

function tensorEntry(name: string, tensor: Tensor, refuse: (defect: string) => UserError): TensorEntry {
  const { storage, start, shape } = tensor;
  const size = bytesPerElement[storage.type];
  const [from, byteLength] = [start * size, elementCount(shape) * size];
  if (!(from + byteLength <= storage.entry.byteLength)) throw refuse(t`the tensor ${shortened(name)} lies outside its storage`);
  if (!isRowMajor(tensor)) throw refuse(t`the tensor ${shortened(name)} is not stored row by row; save it with .contiguous()`);
  return { name, type: storage.type, shape, offset: storage.entry.offset + from, byteLength };
}

/** The stride of an axis of length 1 means nothing. */
function isRowMajor({ shape, strides }: Tensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis]! > 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

function corrupt({ name }: ByteSource, defect: string): UserError {
  return new UserError(
    'file-corrupt',
    t`${name} is not a usable PyTorch file: ${shortened(defect)}. Get it again from a source you trust, or as safetensors.`,
  );
}
