/**
 * @file How much memory a program uses while it runs. Reproduces ONNX Runtime's allocation plan
 * (onnxruntime/core/framework/allocation_planner.cc) from the graph alone.
 */
import { sameShape } from '../../core/shape.js';
import { bufferBytes } from './bufferBytes.js';
import { isOp, useCounts, valuesOf } from '../../core/graph/program.js';
import { tensorBytes, type DeviceKind, type OpName, type Program, type Value } from '../../core/graph/types.js';

/** Memory that holds values of one shape in turn, from the creation of the first one to the last use of the last one. */
interface Buffer {
  readonly first: Value;
  readonly from: number;
  until: number;
  /** Remaining uses of the value that it currently holds. */
  uses: number;
}

/** Operations whose kernels overwrite their operand. */
const writesInPlace: ReadonlySet<OpName> = new Set<OpName>(['sigmoid', 'softmax']);

/** The WebGPU provider submits this many operations to the GPU at a time, and only then reuses what they freed. */
const dispatchedTogether = 16;

/** Peak bytes of the values between a program's inputs and its outputs; the outputs are in the caller's memory. */
export function workingSetBytes(program: Program, device: DeviceKind): number {
  const order = executionOrder(program);
  const buffers =
    device === 'cpu' ? plannedBuffers(program, order) : [...plannedBuffers(program, order), ...transposedOperands(order)];
  const delay = device === 'cpu' ? 1 : dispatchedTogether;
  const change = new Map<number, number>();
  const add = (time: number, bytes: number): unknown => change.set(time, (change.get(time) ?? 0) + bytes);
  for (const { first, from, until } of buffers) {
    add(from, bufferBytes(first, device));
    add(until + delay, -bufferBytes(first, device));
  }
  let held = 0;
  const levels = [...change].sort(([a], [b]) => a - b).map(([, bytes]) => (held += bytes));
  return Math.max(0, ...levels);
}

function plannedBuffers(program: Program, order: readonly Value[]): Buffer[] {
  const ofCaller = new Set(program.outputs.values());
  const uses = useCounts(program);
  const buffers: Buffer[] = [];
  const bufferOf = new Map<Value, Buffer>();
  const free: Buffer[] = []; // the last one freed is taken first
  order.forEach((value, time) => {
    if (!ofCaller.has(value)) place(value, time);
    for (const operand of value.inputs) {
      const buffer = bufferOf.get(operand);
      if (!buffer) continue;
      buffer.until = time;
      if (--buffer.uses === 0) free.push(buffer);
    }
  });
  return buffers;

  function place(value: Value, time: number): void {
    const buffer = sharedBuffer(value) ?? freeBuffer(value);
    if (buffer) {
      buffer.uses += uses.get(value)!;
      bufferOf.set(value, buffer);
    } else if (!isOp(value, 'reshape')) {
      const made = { first: value, from: time, until: time, uses: uses.get(value)! };
      buffers.push(made);
      bufferOf.set(value, made);
    }
  }

  /** A reshaped value shares its operand's buffer. */
  function sharedBuffer(value: Value): Buffer | undefined {
    const buffer = bufferOf.get(value.inputs[0]!);
    if (isOp(value, 'reshape')) return buffer;
    return writesInPlace.has(value.op) && buffer?.uses === 1 && fits(buffer, value) ? buffer : undefined;
  }

  function freeBuffer(value: Value): Buffer | undefined {
    if (isOp(value, 'reshape')) return undefined;
    const index = free.findLastIndex((buffer) => fits(buffer, value));
    return index < 0 ? undefined : free.splice(index, 1)[0];
  }
}

/** Without FusedMatMul a transposed operand is a separate tensor (lower.ts). */
function transposedOperands(order: readonly Value[]): Omit<Buffer, 'uses'>[] {
  return order.flatMap((value, time) => {
    if (!isOp(value, 'matmul')) return [];
    const { transposeA, transposeB } = value.attributes;
    const transposed = value.inputs.filter((_, place) => [transposeA, transposeB][place]);
    return transposed.map((first) => ({ first, from: time, until: time }));
  });
}

/** The planner considers only equal shapes to be equal in size. */
function fits({ first }: Buffer, value: Value): boolean {
  return sameShape(first.shape, value.shape) && tensorBytes(first) === tensorBytes(value);
}

/**
 * Depth first from the last result, visiting operands that were created later first (GraphViewer's default order): what a value
 * needs is computed just before it, unless something else needed it earlier. Inputs and constants are left out.
 */
function executionOrder(program: Program): Value[] {
  const given = new Set(program.inputs.values());
  const made = valuesOf(program).filter((value) => !given.has(value) && !isOp(value, 'constant'));
  const place = new Map(made.map((value, index) => [value, index]));
  const used = new Set(made.flatMap(({ inputs }) => inputs));
  const order = new Set<Value>();
  const visit = (value: Value): void => {
    if (order.has(value)) return;
    const operands = value.inputs.filter((operand) => place.has(operand));
    operands.sort((a, b) => place.get(b)! - place.get(a)!).forEach(visit);
    order.add(value);
  };
  made
    .filter((value) => !used.has(value))
    .reverse()
    .forEach(visit);
  return [...order];
}
