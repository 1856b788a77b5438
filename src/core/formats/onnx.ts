/** @file Encodes ONNX files: the part of onnx.proto that we use (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3). */
import protobuf from 'protobufjs/light.js';

export const onnxTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
} as const;
export type OnnxType = keyof typeof onnxTypes;

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly op: string;
  /** '' for ONNX itself, 'com.microsoft' for ONNX Runtime's own operators. */
  readonly domain: '' | 'com.microsoft';
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Plain numbers and lists are integers; floats are wrapped in an object. */
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValueInfo {
  readonly name: string;
  readonly type: OnnxType;
  /** A string names a length that may differ from call to call. */
  readonly shape: readonly (number | string)[];
  /** Whether the value is a sequence of such tensors. */
  readonly isSequence?: boolean;
}

interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

const opsetVersion = 21;
/** The first opset that has BitCast. */
const bitCastOpsetVersion = 26;
const irVersion = 10;

const root = protobuf.Root.fromJSON({
  nested: {
    Model: message({ irVersion: 'int64 1', producerName: 'string 2', graph: 'Graph 7', opsetImport: 'repeated OperatorSet 8' }),
    OperatorSet: message({ domain: 'string 1', version: 'int64 2' }),
    Graph: message({
      node: 'repeated Node 1',
      name: 'string 2',
      initializer: 'repeated Tensor 5',
      input: 'repeated ValueInfo 11',
      output: 'repeated ValueInfo 12',
    }),
    Node: message({
      input: 'repeated string 1',
      output: 'repeated string 2',
      name: 'string 3',
      opType: 'string 4',
      attribute: 'repeated Attribute 5',
      domain: 'string 7',
    }),
    Attribute: message({
      name: 'string 1',
      f: 'float 2',
      i: 'int64 3',
      s: 'bytes 4',
      ints: 'repeated int64 8',
      type: 'int32 20',
    }),
    Tensor: message({ dims: 'repeated int64 1', dataType: 'int32 2', name: 'string 8', rawData: 'bytes 9' }),
    ValueInfo: message({ name: 'string 1', type: 'Type 2' }),
    Type: message({ tensorType: 'TensorType 1', sequenceType: 'SequenceType 4' }),
    SequenceType: message({ elemType: 'Type 1' }),
    TensorType: message({ elemType: 'int32 1', shape: 'Shape 2' }),
    Shape: message({ dim: 'repeated Dimension 1' }),
    Dimension: message({ dimValue: 'int64 1', dimParam: 'string 2' }),
  },
});

export function encodeOnnx(graph: OnnxGraph): Uint8Array {
  const Model = root.lookupType('Model');
  const model = Model.create({
    irVersion,
    producerName: 'lora-workbench',
    opsetImport: [
      { domain: '', version: graph.nodes.some(({ op }) => op === 'BitCast') ? bitCastOpsetVersion : opsetVersion },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: {
      name: graph.name,
      node: graph.nodes.map(encodeNode),
      initializer: graph.initializers.map(({ name, type, shape, bytes }) => ({
        name,
        dataType: onnxTypes[type],
        dims: shape,
        rawData: bytes,
      })),
      input: graph.inputs.map(encodeValueInfo),
      output: graph.outputs.map(encodeValueInfo),
    },
  });
  return Model.encode(model).finish();
}

function encodeNode(node: OnnxNode): object {
  const attribute = Object.entries(node.attributes).map(([name, value]) => ({ name, ...encodeAttribute(value) }));
  return { input: node.inputs, output: node.outputs, name: node.name, opType: node.op, domain: node.domain, attribute };
}

function encodeAttribute(value: OnnxAttribute): object {
  if (typeof value === 'number') return { i: value, type: 2 };
  if (typeof value === 'string') return { s: new TextEncoder().encode(value), type: 3 };
  if ('float' in value) return { f: value.float, type: 1 };
  return { ints: value, type: 7 };
}

function encodeValueInfo({ name, type, shape, isSequence }: OnnxValueInfo): object {
  const dim = shape.map((length) => (typeof length === 'string' ? { dimParam: length } : { dimValue: length }));
  const tensor = { tensorType: { elemType: onnxTypes[type], shape: { dim } } };
  return { name, type: isSequence ? { sequenceType: { elemType: tensor } } : tensor };
}

/** 'repeated int64 8' → a protobufjs field. */
function message(fields: Record<string, string>): protobuf.IType {
  return {
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, text]) => {
        const [id, type, ruleName] = text.split(' ').reverse() as [string, string, string | undefined];
        return [name, { id: Number(id), type, ...(ruleName ? { rule: ruleName } : {}) }];
      }),
    ),
  };
}
