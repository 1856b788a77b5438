/** @file How much memory training takes at its peak, told from a model's header and the settings: nothing is loaded. */
import { adaptedLayers, loraParameterCount, type LoraShape } from '../adapters/lora.js';
import { optimize } from '../graph/fuse.js';
import { tensorBytes, type DeviceKind, type Program } from '../graph/types.js';
import { workingSetBytes } from '../graph/workingSet.js';
import { matrixBytes, type MatrixForm } from '../llama/frozenMatrix.js';
import type { LinearForms } from '../llama/linear.js';
import { baseWishes, linearForms, matrixForm, type BaseDType, type BaseWishes } from '../llama/matrixForm.js';
import { headName, linearNames, type WeightInfo, type WeightStore } from '../llama/weights.js';
import { largestChunk } from './headChunks.js';
import { BlockGraph, maskProgram, type BatchShape } from './programs.js';
import { headLossProgram, headSliceProgram, vocabularySlices } from './vocabularyPrograms.js';

/** All that the memory of a run depends on. */
export interface MemoryRequest {
  readonly weights: Pick<WeightStore, 'config' | 'names' | 'info'>;
  readonly lora: LoraShape;
  readonly dropout: number;
  readonly batch: BatchShape;
  readonly baseDType: BaseDType;
  readonly gradientCheckpointing: boolean;
  readonly layerStreaming: boolean;
  readonly device: DeviceKind;
}

/** Bytes at the peak, by what they are for. */
interface MemoryParts {
  /** Node, ONNX Runtime and this program. */
  readonly process: number;
  readonly weights: number;
  /** Parameters, gradients and moments. */
  readonly adapter: number;
  /** Parameters and moments once more, on their way to the disk. */
  readonly checkpoint: number;
  /** What the forward pass leaves for the backward pass. */
  readonly activations: number;
  /** The largest program at work. */
  readonly work: number;
}

export interface MemoryEstimate {
  readonly parts: MemoryParts;
  /** Of the process. */
  readonly hostBytes: number;
  /** Of the GPU; 0 where the CPU trains. */
  readonly deviceBytes: number;
}

/** 112 MB of a run of a model of a few kilobytes, and the garbage that V8 lets lie beside a larger one (bench/memory.mjs). */
const processBytes = 145e6;

/** What malloc holds beyond what was asked of it, as a share of all that comes and goes within a step (bench/memory.mjs). */
const allocatorSlack = 0.1;

export function estimateMemory(request: MemoryRequest): MemoryEstimate {
  const adapterCopy = 4 * loraParameterCount(request.weights.config, request.lora);
  const { activations, work } = memoryOfStep(request);
  const parts = {
    process: processBytes,
    weights: weightBytes(request),
    adapter: 4 * adapterCopy,
    checkpoint: 3 * adapterCopy,
    activations: (1 + allocatorSlack) * activations,
    work: (1 + allocatorSlack) * work,
  };
  const training = parts.weights + parts.adapter + parts.activations + parts.work;
  const deviceBytes = request.device === 'webgpu' ? training : 0;
  return { parts, hostBytes: parts.process + parts.checkpoint + training - deviceBytes, deviceBytes };
}

function weightBytes({ weights, baseDType, device, layerStreaming }: MemoryRequest): number {
  const wishes = baseWishes(baseDType, device);
  const bytes = new Map(weights.names().map((name) => [name, heldBytes(weights.info(name)!, wishes)]));
  const sum = (of: (name: string) => boolean): number => [...bytes].reduce((total, [name, size]) => (of(name) ? total + size : total), 0);
  const isOfLayer = (name: string): boolean => name.startsWith('model.layers.');
  const layers = sum(isOfLayer);
  const besideLayers = sum((name) => !isOfLayer(name));
  return besideLayers + (layerStreaming ? layers / weights.config.layerCount : layers);
}

function heldBytes(info: WeightInfo, { linears, tables }: BaseWishes): number {
  const [rows, columns] = info.shape;
  if (columns === undefined) return 4 * rows!;
  const isLinear = linearNames.some((linear) => info.name.endsWith(`${linear}.weight`));
  return matrixBytes(matrixForm(info, isLinear ? linears : tables), [rows!, columns]);
}

interface StepMemory {
  readonly activations: number;
  readonly work: number;
}

/** Programs are the same for many requests, which come in quick succession while a slider moves. */
const knownSteps = new Map<string, StepMemory>();
const mostKnown = 1000;

function memoryOfStep(request: MemoryRequest): StepMemory {
  const { weights, lora, dropout, batch, gradientCheckpointing, baseDType, device } = request;
  const forms = differentForms(request);
  const head = matrixForm(weights.info(headName(weights.config))!, baseWishes(baseDType, device).tables);
  const key = JSON.stringify([weights.config, lora, dropout > 0, batch, gradientCheckpointing, device, forms, head]);
  const known = knownSteps.get(key) ?? stepMemory(request, forms, head);
  if (knownSteps.size >= mostKnown) knownSteps.clear();
  knownSteps.set(key, known);
  return known;
}

/** What a step takes besides weights and adapter. The peak is the backward pass of the last layer, or the head before it. */
function stepMemory(request: MemoryRequest, forms: readonly LinearForms[], table: MatrixForm): StepMemory {
  const { weights, batch, device } = request;
  const { config } = weights;
  const tokens = batch.batchSize * batch.sequenceLength;
  const blocks = forms.map((each) => blockPrograms(request, each));

  const chunk = Math.min(largestChunk, tokens);
  const headSlice = optimize(headSliceProgram(config, chunk, vocabularySlices(config, device)[0]!.rows, table, true));
  const headLoss = optimize(headLossProgram(config, tokens, chunk, true));

  const hidden = 4 * tokens * config.hiddenSize;
  const masks = sizeOf(maskProgram(config, batch, device).outputs);
  const { forward, backward } = blocks[0]!;
  // Beside what each layer leaves: two gradients of a block's input, and one result of the block before.
  const keeping = config.layerCount - adaptedLayers(config, request.lora)[0]!; // down to the lowest adapted layer
  const activations = keeping * sizeOf(forward.outputs) + 3 * hidden + masks;
  const dropout = sizeOf(new Map([...backward.inputs].filter(([name]) => name.startsWith('dropout.'))));
  const programs = [...blocks.flatMap((block) => [block.forward, block.backward]), headSlice, headLoss];
  // What a run leaves lies beside what it began with.
  const results = sizeOf(backward.outputs) + 2 * sizeOf(headSlice.outputs);
  return { activations, work: Math.max(...programs.map(workingSetBytes)) + results + dropout };
}

/** The layers of a quantized file may be stored in several ways. */
function differentForms({ weights, baseDType, device }: MemoryRequest): LinearForms[] {
  const { linears } = baseWishes(baseDType, device);
  const layers = Array.from({ length: weights.config.layerCount }, (_, layer) => linearForms(weights, layer, linears));
  return [...new Map(layers.map((forms) => [JSON.stringify(forms), forms])).values()];
}

function blockPrograms(request: MemoryRequest, forms: LinearForms): { forward: Program; backward: Program } {
  const { weights, lora, dropout, batch, gradientCheckpointing, device } = request;
  const block = new BlockGraph({ config: weights.config, shape: batch, device, forms, lora, dropout });
  return { forward: optimize(block.forward(!gradientCheckpointing)), backward: optimize(block.backward(!gradientCheckpointing, true)) };
}

function sizeOf(values: Program['outputs']): number {
  return [...values.values()].reduce((sum, value) => sum + tensorBytes(value), 0);
}
