/** @file How much memory training uses at its peak, determined from a model's header and the settings; nothing is loaded. */
import { adaptedLayers, blockLoraParameters, loraParameterCount, type LoraShape } from '../../core/adapters/lora.js';
import { bufferBytes } from './bufferBytes.js';
import { optimize } from '../../core/graph/fuse.js';
import { tensorBytes, type DeviceKind, type Program, type Value } from '../../core/graph/types.js';
import { workingSetBytes } from './workingSet.js';
import { attentionKindOf } from '../../core/models/config.js';
import { matrixParts, type MatrixForm } from '../../core/models/frozenMatrix.js';
import type { LinearForms } from '../../core/models/linear.js';
import { basePrecisions, linearForms, matrixForm, type BaseDType } from '../../core/models/matrixForm.js';
import type { WeightStore } from '../../core/models/weights.js';
import type { WeightSpec } from '../../core/models/weightSpec.js';
import { weightTable } from '../../core/models/weightTable.js';
import { largestChunk } from '../../core/train/headChunks.js';
import { BlockGraph, effectiveWindows, maskProgram, type BatchShape } from '../../core/train/programs.js';
import { elementCount } from '../../core/shape.js';
import { headLossProgram, headSliceProgram, vocabularySlices } from '../../core/train/vocabularyPrograms.js';

/** Everything that the memory use of a run depends on. */
export interface MemoryRequest {
  readonly weights: Pick<WeightStore, 'config' | 'names' | 'info'>;
  /** Null means that only the loss of the base model is measured and nothing is trained. */
  readonly lora: LoraShape | null;
  readonly dropout: number;
  readonly batch: BatchShape;
  readonly baseDType: BaseDType;
  readonly gradientCheckpointing: boolean;
  readonly layerStreaming: boolean;
  readonly device: DeviceKind;
  /** Size of the data set, if known. */
  readonly dataBytes?: number;
}

/** Bytes at the peak, by purpose. */
interface MemoryParts {
  /** Node, ONNX Runtime and this program. */
  readonly process: number;
  readonly data: number;
  readonly weights: number;
  /** Parameters, gradients and moments. */
  readonly adapter: number;
  /** A second copy of parameters and moments, on its way to the disk. */
  readonly checkpoint: number;
  /** On its way to a GPU: the largest weight tensor as read by the host, and the driver’s copy. */
  readonly upload: number;
  /** Held between the programs of a step: what the forward pass keeps for the backward pass, and the results of programs. */
  readonly activations: number;
  /** Memory within the program that needs most. */
  readonly work: number;
  /** Additional GPU memory used by the WebGPU provider. */
  readonly provider: number;
}

export interface MemoryEstimate {
  readonly parts: MemoryParts;
  /** Memory of the process. */
  readonly hostBytes: number;
  /** Memory of the GPU; 0 when training on the CPU. */
  readonly deviceBytes: number;
}

/** 112 MB for a run of a model of a few kilobytes, plus garbage that V8 keeps with a larger one (bench/memory.mjs). */
const processBytes = 145e6;

/** What malloc holds beyond requests, as a share of all memory that a step allocates and frees (bench/memory.mjs). */
const allocatorSlack = 0.1;

/** Heaps of 8 MB, seldom full, for small buffers, and freed buffers of rarely needed sizes (bench/memory.mjs --device webgpu). */
const providerBytes = 25e6;

export function estimateMemory(request: MemoryRequest): MemoryEstimate {
  const { activations, work } = memoryOfStep(request);
  const {
    weights: { config },
    lora,
  } = request;
  const isOnGpu = request.device === 'webgpu';
  const slack = isOnGpu ? 0 : allocatorSlack;
  const adapterOfLayer = adapterBytesOfLayer(request);
  const parts = {
    process: processBytes,
    data: request.dataBytes ?? 0,
    ...memoryOfWeights(request),
    adapter: adapterOfLayer * adaptedLayers(config, lora).length,
    checkpoint: 3 * 4 * loraParameterCount(config, lora),
    activations: (1 + slack) * activations,
    work: (1 + slack) * work,
    // The buffers that an update replaced in a layer remain, because hardly anything else has their size.
    provider: isOnGpu ? providerBytes + adapterOfLayer : 0,
  };
  const host = parts.process + parts.data + parts.checkpoint + parts.upload;
  const training = parts.weights + parts.adapter + parts.activations + parts.work + parts.provider;
  return isOnGpu ? { parts, hostBytes: host, deviceBytes: training } : { parts, hostBytes: host + training, deviceBytes: 0 };
}

function memoryOfWeights(request: MemoryRequest): Pick<MemoryParts, 'weights' | 'upload'> {
  const { weights, device, layerStreaming } = request;
  const sizes = { layers: 0, besideLayers: 0, largest: 0 };
  for (const spec of weightTable(weights.config).all) {
    for (const tensor of heldTensors(request, spec)) {
      sizes[spec.layer === null ? 'besideLayers' : 'layers'] += bufferBytes(tensor, device);
      sizes.largest = Math.max(sizes.largest, tensorBytes(tensor));
    }
  }
  const layers = layerStreaming ? sizes.layers / weights.config.layerCount : sizes.layers;
  return { weights: sizes.besideLayers + layers, upload: device === 'webgpu' ? 2 * sizes.largest : 0 };
}

type Tensor = Pick<Value, 'dtype' | 'shape'>;

/** The tensors that a weight becomes. */
function heldTensors({ weights, baseDType, device }: MemoryRequest, { kind, name, shape }: WeightSpec): readonly Tensor[] {
  if (kind === 'vector') return [{ dtype: 'float32', shape }];
  const [rows, columns] = shape as [number, number];
  const { config } = weights;
  const info = weights.info(name)!;
  const precisions = basePrecisions(baseDType, device);
  if (kind === 'linear') return matrixParts(matrixForm(info, precisions.linears), [rows, columns]);
  const form = matrixForm(info, name === weightTable(config).head.name ? precisions.head : precisions.embedding);
  return vocabularySlices(config, device).flatMap((slice) => matrixParts(form, [slice.rows, columns]));
}

/** One tensor per parameter; gradients and each of the two moments are one tensor for all parameters. */
function adapterBytesOfLayer({ weights: { config }, lora, device }: MemoryRequest): number {
  if (lora === null) return 0;
  const parameters = blockLoraParameters(config, lora).map(({ shape }) => shape);
  const count = parameters.reduce((sum, shape) => sum + elementCount(shape), 0);
  const tensors = [...parameters, [count], [count], [count]];
  return tensors.reduce((sum, shape) => sum + bufferBytes({ dtype: 'float32', shape }, device), 0);
}

interface StepMemory {
  readonly activations: number;
  readonly work: number;
}

/** Many requests have the same programs, and come in quick succession while a slider moves. */
const knownSteps = new Map<string, StepMemory>();
const maxKnown = 1000;

function memoryOfStep(request: MemoryRequest): StepMemory {
  const { weights, lora, dropout, batch, gradientCheckpointing, baseDType, device } = request;
  const kinds = differentLayers(request);
  const head = matrixForm(weights.info(weightTable(weights.config).head.name)!, basePrecisions(baseDType, device).head);
  const key = JSON.stringify([weights.config, lora, dropout > 0, batch, gradientCheckpointing, device, kinds, head]);
  const known = knownSteps.get(key) ?? stepMemory(request, kinds, head);
  if (knownSteps.size >= maxKnown) knownSteps.clear();
  knownSteps.set(key, known);
  return known;
}

/**
 * Memory that a step uses besides weights and adapter. The peak is the backward pass of the last layer, if there is one, or the
 * head before it.
 */
function stepMemory(request: MemoryRequest, kinds: readonly LayerKind[], table: MatrixForm): StepMemory {
  const { weights, lora, batch, device } = request;
  const { config } = weights;
  const tokens = batch.batchSize * batch.sequenceLength;
  const blocks = kinds.map((kind) => blockPrograms(request, kind));

  const chunk = Math.min(largestChunk, tokens);
  const trains = lora !== null;
  const headSlice = optimize(headSliceProgram(config, chunk, vocabularySlices(config, device)[0]!.rows, table, trains));
  const headLoss = optimize(headLossProgram(config, tokens, chunk, trains));

  const sizeOf = (values: Program['outputs']): number =>
    [...values.values()].reduce((sum, value) => sum + bufferBytes(value, device), 0);
  const hidden = bufferBytes({ dtype: 'float32', shape: [tokens, config.hiddenSize] }, device);
  const windows = effectiveWindows(config, batch.sequenceLength);
  const masks = sizeOf(maskProgram(config, batch, null, device).outputs) * windows.size;
  const { forward, backward } = blocks[0]!;
  // In addition to what each layer keeps: two gradients of a block's input, and one result of the previous block.
  const keeping = config.layerCount - (adaptedLayers(config, lora)[0] ?? config.layerCount); // down to the lowest adapted layer
  const activations = keeping * sizeOf(forward.outputs) + 3 * hidden + masks;
  const dropout = sizeOf(new Map([...(backward?.inputs ?? [])].filter(([name]) => name.startsWith('dropout.'))));
  const programs = [
    ...blocks.flatMap(({ forward, backward }) => (backward ? [forward, backward] : [forward])),
    headSlice,
    headLoss,
  ];
  // The results of a run exist alongside its inputs.
  const results = (backward ? sizeOf(backward.outputs) : 0) + 2 * sizeOf(headSlice.outputs);
  const work = Math.max(...programs.map((program) => workingSetBytes(program, device)));
  return { activations: activations + results + dropout, work };
}

/** The properties in which the programs of two layers may differ. */
interface LayerKind {
  readonly forms: LinearForms;
  readonly attentionKind: number;
}

/** The layers of a quantized file may be stored in several ways, and layers may have several kinds of attention. */
function differentLayers({ weights, baseDType, device }: MemoryRequest): LayerKind[] {
  const { linears } = basePrecisions(baseDType, device);
  const layers = Array.from({ length: weights.config.layerCount }, (_, layer): LayerKind => {
    return { forms: linearForms(weights, layer, linears), attentionKind: attentionKindOf(weights.config, layer) };
  });
  return [...new Map(layers.map((kind) => [JSON.stringify(kind), kind])).values()];
}

function blockPrograms(request: MemoryRequest, kind: LayerKind): { forward: Program; backward: Program | null } {
  const { weights, lora, dropout, batch, gradientCheckpointing, device } = request;
  const block = new BlockGraph({ config: weights.config, shape: batch, device, ...kind, lora, dropout });
  return {
    forward: optimize(block.forward(lora !== null && !gradientCheckpointing)),
    backward: lora && optimize(block.backward(!gradientCheckpointing, true)),
  };
}
