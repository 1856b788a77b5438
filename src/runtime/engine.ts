import { freemem } from 'node:os';
import type { LoraShape } from '../core/adapters/lora.js';
import { UserError } from '../core/errors.js';
import type { TextModel } from '../core/generate/textModel.js';
import type { WeightStore } from '../core/llama/weights.js';
import { keptBytes } from '../core/train/programs.js';
import type { StepRunner, TrainableState } from '../core/train/stepRunner.js';
import { chooseDevice, type DeviceWish } from './chooseDevice.js';
import type { DecodeDType } from './decodeConstants.js';
import type { Device } from './device.js';
import { layerBytes, type BaseDType } from './frozenWeights.js';
import { createOnnxStepRunner } from './onnxStepRunner.js';
import { createTextModel } from './onnxTextModel.js';
import { has16Bit } from './probe16Bit.js';

/** The `engine` part of a run config, as far as this engine reads it. */
export interface EngineOptions {
  readonly device: DeviceWish;
  readonly base_dtype: 'auto' | BaseDType;
  /** Null takes as many as the machine has cores. */
  readonly threads: number | null;
  readonly gradient_checkpointing: 'auto' | 'on' | 'off';
  readonly layer_streaming: 'auto' | 'on' | 'off';
}

export interface TrainingSetup {
  readonly weights: WeightStore;
  readonly lora: LoraShape;
  readonly dropout: number;
  readonly initialState: TrainableState;
  readonly engine: EngineOptions;
  /** Of the largest micro-batch, padding included. */
  readonly tokensPerBatch: number;
  /** Hears in a sentence why the device was chosen. */
  readonly note?: (text: string) => void;
}

/** Loads the base model onto the chosen device, ready to train the adapter. */
export async function createTrainer({ engine, note, tokensPerBatch, ...setup }: TrainingSetup): Promise<StepRunner> {
  const { device, because } = await chooseDevice(engine.device, engine.threads);
  note?.(because);
  const gradientCheckpointing = wantsCheckpointing(engine.gradient_checkpointing, keptBytes(setup.weights.config, tokensPerBatch));
  if (gradientCheckpointing) note?.('Activations are computed again in the backward pass, which saves memory.');
  const baseDType = await chooseBaseDType(engine.base_dtype, device, note);
  const layerStreaming = wantsStreaming(engine.layer_streaming, layerBytes(setup.weights, baseDType), freemem());
  if (layerStreaming) note?.('Each layer’s weights are read from the file whenever they are used, which saves memory.');
  return createOnnxStepRunner({ ...setup, device, baseDType, gradientCheckpointing, layerStreaming });
}

/** `auto` streams where the weights of all layers would take more than three quarters of the free memory. */
function wantsStreaming(wish: EngineOptions['layer_streaming'], bytes: number, freeBytes: number): boolean {
  return wish === 'on' || (wish === 'auto' && bytes > 0.75 * freeBytes);
}

/** `auto` halves the base on a GPU, whose memory is what runs out first; on the CPU fp32 is faster. */
async function chooseBaseDType(wish: EngineOptions['base_dtype'], device: Device, note?: (text: string) => void): Promise<BaseDType> {
  if (wish !== 'auto' && wish !== 'fp16') return wish;
  if (wish === 'auto' && device.kind === 'cpu') return 'fp32';
  if (await has16Bit(device)) return 'fp16';
  if (wish === 'auto') {
    note?.('The base is held in fp32: this GPU, or its driver, does not compute with 16-bit floats.');
    return 'fp32';
  }
  const message = 'engine.base_dtype is "fp16", but this GPU, or its driver, does not compute with 16-bit floats (shader-f16). Set it to "auto", "fp32" or "int4".';
  throw new UserError('device-unavailable', message);
}

/** `auto` recomputes where keeping the activations would take more than half of the free memory. */
function wantsCheckpointing(wish: EngineOptions['gradient_checkpointing'], bytes: number): boolean {
  return wish === 'on' || (wish === 'auto' && bytes > freemem() / 2);
}

/**
 * Loads the base model for generation. By default quantized weights as they are stored, and others in 8 bits: several times
 * faster than fp32, and nearly the same text.
 */
export async function loadTextModel(
  weights: WeightStore,
  engine: Pick<EngineOptions, 'device' | 'threads'> & { readonly base_dtype: 'auto' | DecodeDType },
): Promise<TextModel> {
  const { device } = await chooseDevice(engine.device, engine.threads);
  return createTextModel(weights, device, engine.base_dtype === 'auto' ? 'stored' : engine.base_dtype);
}
