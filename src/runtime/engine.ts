import type { LoraShape } from '../core/adapters/lora.js';
import type { Adapter } from '../core/adapters/peft.js';
import { UserError } from '../core/errors.js';
import type { TextModel } from '../core/generate/textModel.js';
import type { BaseDType } from '../core/models/matrixForm.js';
import type { WeightStore } from '../core/models/weights.js';
import { withZeroMoments } from '../core/train/loraInit.js';
import type { BatchShape } from '../core/train/programs.js';
import type { StepRunner, TrainableState } from '../core/train/stepRunner.js';
import { t } from '../l10n/text.js';
import { availableMemoryBytes } from './memory/available.js';
import { chooseDevice, type DeviceSetting } from './chooseDevice.js';
import type { DecodeDType } from './decodeConstants.js';
import type { Device } from './device.js';
import { disposedOnFailure, type Disposable } from './disposal.js';
import { withFallback } from './fallbackTextModel.js';
import { ranOut, tooLarge, writingRanOut } from './memory/messages.js';
import { dtypesToTry, fits, planMemory, type MemoryPlan } from './memory/plan.js';
import { createOnnxStepRunner } from './onnxStepRunner.js';
import { createTextModel } from './onnxTextModel.js';
import { explained, explainingOutOfMemory, textExplainingOutOfMemory } from './memory/outOfMemory.js';
import { has16Bit } from './probe16Bit.js';
import { integerSpeedup } from './productSpeed.js';

/** The `engine` section of a run config, as far as this engine reads it. */
export interface EngineOptions {
  readonly device: DeviceSetting;
  readonly base_dtype: 'auto' | BaseDType;
  /** Null means one per core of the machine. */
  readonly threads: number | null;
  readonly gradient_checkpointing: 'auto' | 'on' | 'off';
  readonly layer_streaming: 'auto' | 'on' | 'off';
  /** What to do if the run is not expected to fit into memory. */
  readonly memory_check: 'refuse' | 'warn';
}

export interface TrainingSetup {
  readonly weights: WeightStore;
  readonly lora: LoraShape;
  readonly dropout: number;
  readonly initialState: TrainableState;
  readonly engine: EngineOptions;
  /** How the base was held in the earlier part of the run; kept if the setting is `auto`. */
  readonly resumedDType?: BaseDType | null;
  /** Shape of the largest micro-batch. */
  readonly batch: BatchShape;
  /** Memory that the data set uses. */
  readonly dataBytes?: number;
  /** Receives, in sentences, what was decided and why. */
  readonly note?: (text: string) => void;
  /** Receives the plan before anything is loaded. */
  readonly onPlan?: (plan: MemoryPlan) => void;
}

export interface Trainer {
  readonly runner: StepRunner;
  readonly memory: MemoryPlan;
}

export interface EvaluationSetup extends Pick<TrainingSetup, 'weights' | 'engine' | 'batch' | 'note'> {
  /** Null means the base model alone. */
  readonly adapter: Adapter | null;
}

/** Measures losses, as a StepRunner does; importState replaces the adapter by another of the same shape. */
export type Evaluator = Pick<StepRunner, 'description' | 'evaluate' | 'importState' | 'dispose'>;

/** Loads the base model onto the chosen device, with or without an adapter, to measure how well it predicts text. */
export async function createEvaluator({ adapter, ...setup }: EvaluationSetup): Promise<Evaluator> {
  const initialState = withZeroMoments(adapter?.parameters ?? new Map());
  const { runner } = await createRunner({ ...setup, lora: adapter && adapter.lora, dropout: 0, initialState, measures: true });
  return runner;
}

/**
 * Loads the base model onto the chosen device, ready to train the adapter. Throws UserError('out-of-memory') with what would fit,
 * before anything is loaded if the estimate is too high. The runner's methods throw it too when an allocation fails; on a GPU
 * they throw UserError('device-failed').
 */
export function createTrainer(setup: TrainingSetup): Promise<Trainer> {
  return createRunner({ ...setup, measures: false });
}

interface RunnerSetup extends Omit<TrainingSetup, 'lora'> {
  readonly lora: LoraShape | null;
  /** Whether the losses are the purpose, so that `auto` never rounds for the sake of speed. */
  readonly measures: boolean;
}

async function createRunner(setup: RunnerSetup): Promise<Trainer> {
  const { device, reason } = await chooseDevice(deviceSetting(setup.engine), setup.engine.threads);
  setup.note?.(reason);
  return owningDevice(
    device,
    () => runnerOn(device, setup),
    ({ runner }) => runner,
  );
}

/** Products in integers are the CPU's, so there is nothing to choose. */
function deviceSetting({ device, base_dtype }: EngineOptions): DeviceSetting {
  return device === 'auto' && base_dtype === 'int8' ? 'cpu' : device;
}

async function runnerOn(
  device: Device,
  { engine, resumedDType = null, note, onPlan, batch, dataBytes = 0, measures, ...setup }: RunnerSetup,
): Promise<Trainer> {
  const { weights, lora, dropout } = setup; // without the initial state: messages keep a reference to these options
  const mayRound = !measures && weights.config.hiddenSize >= smallestRounded;
  const { dtypes, speedup } = await usableDTypes(engine.base_dtype, resumedDType, device, mayRound, note);
  const options = {
    weights,
    lora,
    dropout,
    batch,
    dataBytes,
    dtypes,
    checkpointing: engine.gradient_checkpointing,
    streaming: engine.layer_streaming,
    device: device.kind,
  };
  const memory = planMemory(options, availableMemoryBytes() + process.memoryUsage.rss());
  [...baseNotes(memory.request.baseDType, engine, resumedDType, speedup), ...memoryNotes(memory, engine)].forEach((text) =>
    note?.(text),
  );
  if (!fits(memory) && engine.memory_check === 'refuse') throw tooLarge(memory);
  onPlan?.(memory);
  const { baseDType, gradientCheckpointing, layerStreaming } = memory.request;
  const explain = ranOut.bind(null, memory);
  const loading = () => createOnnxStepRunner({ ...setup, batch, device, baseDType, gradientCheckpointing, layerStreaming });
  return { runner: explainingOutOfMemory(await explained(loading, explain), explain), memory };
}

/** Products of smaller models are too small to gain from integers. */
const smallestRounded = 256;

/**
 * The types that the settings leave to choose from. A resumed run keeps its type; not every GPU has 16-bit floats; integers must
 * be faster on this processor, and the setup must allow for rounding (`mayRound`).
 */
async function usableDTypes(
  setting: EngineOptions['base_dtype'],
  resumedDType: BaseDType | null,
  device: Device,
  mayRound: boolean,
  note?: (text: string) => void,
): Promise<{ readonly dtypes: readonly BaseDType[]; readonly speedup: number | null }> {
  if (setting === 'int8' && device.kind !== 'cpu') {
    const message = t`engine.base_dtype is "int8", whose products only the CPU computes. Set engine.device to "auto" or "cpu", or engine.base_dtype to "auto".`;
    throw new UserError('device-unavailable', message);
  }
  const resumable = resumedDType === 'int8' && device.kind !== 'cpu' ? null : resumedDType;
  const dtype = setting === 'auto' ? (resumable ?? 'auto') : setting;
  const wants16Bit = dtype === 'auto' || dtype === 'fp16';
  const lacks16Bit = wants16Bit && device.kind !== 'cpu' && !(await has16Bit(device));
  if (lacks16Bit && setting === 'fp16') {
    const message = t`engine.base_dtype is "fp16", but this GPU, or its driver, does not compute with 16-bit floats (shader-f16). Set it to "auto", "fp32" or "int4".`;
    throw new UserError('device-unavailable', message);
  }
  if (lacks16Bit) note?.(t`This GPU, or its driver, does not compute with 16-bit floats.`);
  const speedup = dtype === 'auto' && mayRound ? await integerSpeedup(device) : null;
  const traits = { kind: device.kind, has16Bit: !lacks16Bit, hasFastIntegers: speedup !== null };
  return { dtypes: dtypesToTry(lacks16Bit ? 'auto' : dtype, traits), speedup };
}

function baseNotes(
  baseDType: BaseDType,
  { base_dtype }: EngineOptions,
  resumedDType: BaseDType | null,
  speedup: number | null,
): string[] {
  if (resumedDType !== null && resumedDType !== baseDType) {
    return [
      t`warning: The base is held in ${baseDType} from here on; it was in ${resumedDType} before. The run continues, but its numbers will differ.`,
    ];
  }
  if (base_dtype !== 'auto') return [];
  if (resumedDType !== null) return [t`The base is held in ${baseDType}, as it was when the run began.`];
  if (baseDType === 'int8' && speedup !== null) {
    const reason = t`on this processor its products are ${speedup.toFixed(1)} times as fast as in fp32`;
    return [t`The base is held in int8: ${reason}. Set engine.base_dtype to "fp32" for exact products.`];
  }
  if (baseDType !== 'int4') return [t`The base is held in ${baseDType}.`];
  return [t`The base is held in int4, which loses some precision: in 16 bits it would not fit into memory.`];
}

function memoryNotes(memory: MemoryPlan, engine: EngineOptions): string[] {
  const { gradientCheckpointing, layerStreaming } = memory.request;
  const notes: string[] = [];
  if (engine.gradient_checkpointing === 'auto' && gradientCheckpointing)
    notes.push(t`Activations are recomputed in the backward pass: all of them would not fit into memory.`);
  if (engine.layer_streaming === 'auto' && layerStreaming)
    notes.push(t`Each layer’s weights are read from the file whenever they are used: all of them would not fit into memory.`);
  if (!fits(memory) && engine.memory_check === 'warn') notes.push(t`warning: ${tooLarge(memory).message}`);
  return notes;
}

/**
 * Loads the base model for generation. By default quantized weights stay as stored, and others are held in 8 bits: several times
 * faster than fp32, with nearly the same text. If `auto` chose a GPU and it fails, then or later, the CPU takes over, and `note`
 * reports it. Throws UserError('out-of-memory') with what would take less memory; so do the model's methods.
 */
export async function loadTextModel(
  weights: WeightStore,
  engine: Pick<EngineOptions, 'device' | 'threads'> & { readonly base_dtype: 'auto' | DecodeDType },
  note?: (text: string) => void,
): Promise<TextModel> {
  const dtype = engine.base_dtype === 'auto' ? 'stored' : engine.base_dtype;
  const loadOn = async (setting: DeviceSetting): Promise<TextModel> => {
    const { device } = await chooseDevice(setting, engine.threads);
    return owningDevice(
      device,
      () => createTextModel(weights, device, dtype),
      (model) => model,
    );
  };
  const loadOnCpu = ({ message }: UserError): Promise<TextModel> => {
    note?.(t`${message} Text is generated on the CPU from now on.`);
    return loadOn('cpu');
  };
  const load = () => (engine.device === 'auto' ? withFallback(() => loadOn('auto'), loadOnCpu) : loadOn(engine.device));
  const explain = (moment: 'loading' | 'writing') => writingRanOut.bind(null, { weights, dtype, device: engine.device }, moment);
  return textExplainingOutOfMemory(await explained(load, explain('loading')), explain('writing'));
}

/** The device is disposed of together with what was made on it, or when making it fails. */
async function owningDevice<Made>(device: Device, make: () => Promise<Made>, owner: (made: Made) => Disposable): Promise<Made> {
  const made = await disposedOnFailure(device, make);
  const owning = owner(made);
  const dispose = owning.dispose.bind(owning);
  owning.dispose = () => dispose().finally(() => device.dispose());
  return made;
}
