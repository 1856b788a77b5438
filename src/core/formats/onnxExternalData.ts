/** @file Where the weights of an ONNX file lie in the file beside it. */
import protobuf from 'protobufjs/light.js';

// The part of onnx.proto that leads there (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3); the rest is kept as it is.
const Model = protobuf.Root.fromJSON({
  nested: {
    Model: { fields: { graph: { type: 'Graph', id: 7 } } },
    Graph: { fields: { initializer: { rule: 'repeated', type: 'Tensor', id: 5 } } },
    Tensor: { fields: { externalData: { rule: 'repeated', type: 'Entry', id: 13 } } },
    Entry: { fields: { key: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } },
  },
}).lookupType('Model');

interface ModelMessage {
  readonly graph: { readonly initializer: readonly { readonly externalData: { key: string; value: string }[] }[] };
}

/**
 * Returns the model with every blob at its new place in the file `location`. A matrix has an `offset` and a `length`; what ONNX
 * Runtime has packed of it follows as `prepacked_0` and so on, each 'name|offset;length;checksum|offset;length;checksum…'
 * (onnxruntime/core/framework/tensor_external_data_info.cc).
 */
export function movedExternalData(
  onnx: Uint8Array,
  location: string,
  move: (offset: number, length: number) => number,
): Uint8Array {
  const reader = protobuf.Reader.create(onnx);
  reader.discardUnknown = false;
  const model = Model.decode(reader);
  for (const { externalData } of (model as unknown as ModelMessage).graph.initializer) {
    const length = Number(externalData.find(({ key }) => key === 'length')?.value);
    for (const entry of externalData) {
      if (entry.key === 'location') entry.value = location;
      else if (entry.key === 'offset') entry.value = String(move(Number(entry.value), length));
      else if (entry.key.startsWith('prepacked_'))
        entry.value = entry.value.replaceAll(
          packedBlob,
          (_, offset: string, bytes: string) => `${move(Number(offset), Number(bytes))};${bytes};`,
        );
    }
  }
  return Model.encode(model).finish();
}

const packedBlob = /(?<=\|)(\d+);(\d+);/g;
