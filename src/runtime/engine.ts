import type { LoraShape } from '../core/adapters/lora.js';
import type { Adapter } from '../core/adapters/peft.js';
import type { UserError } from '../core/errors.js';
import type { TextModel } from '../core/generate/textModel.js';
import type { WeightStore } from '../core/models/weights.js';
import { withZeroMoments } from '../core/train/loraInit.js';
import type { StepRunner } from '../core/train/stepRunner.js';
import { t } from '../l10n/text.js';
import { chooseDevice, type DeviceSetting } from './chooseDevice.js';
import type { DecodePrecision } from '../core/models/matrixForm.js';
import { disposedOnFailure, type Disposable } from './disposal.js';
import type { Device, SavedSessions } from './device.js';
import type { EngineOptions } from './engineOptions.js';
import { withFallback } from './fallbackTextModel.js';
import { writingRanOut } from './memory/messages.js';
import { explained, textExplainingOutOfMemory } from './memory/outOfMemory.js';
import { createTextModel } from './onnxTextModel.js';
import { saturates } from './saturates.js';
import { savedBytes, savedFor } from './savedSession.js';
import { Trainers, type RunnerSetup, type Trainer } from './trainers.js';

export interface TrainingSetup extends Omit<RunnerSetup, 'measures'> {
  readonly weights: WeightStore;
  readonly lora: LoraShape;
}

export interface EvaluationSetup extends Pick<TrainingSetup, 'weights' | 'engine' | 'batch' | 'note'> {
  /** Null means the base model alone. */
  readonly adapter: Adapter | null;
}

/** Measures losses, as a StepRunner does; importState replaces the adapter by another of the same shape. */
export type Evaluator = Pick<StepRunner, 'description' | 'evaluate' | 'importState' | 'dispose'>;

/** Loads the base model onto the chosen device, with or without an adapter, to measure how well it predicts text. */
export async function createEvaluator({ weights, adapter, ...setup }: EvaluationSetup): Promise<Evaluator> {
  const initialState = withZeroMoments(adapter?.parameters ?? new Map());
  const { runner } = await onlyTrainer(weights, {
    ...setup,
    lora: adapter && adapter.lora,
    dropout: 0,
    initialState,
    measures: true,
  });
  return runner;
}

/** The only trainer on its base, which is released with it; what is thrown is what Trainers throws. */
export function createTrainer({ weights, ...setup }: TrainingSetup): Promise<Trainer> {
  return onlyTrainer(weights, { ...setup, measures: false });
}

function onlyTrainer(weights: WeightStore, setup: RunnerSetup): Promise<Trainer> {
  const trainers = new Trainers(weights);
  return owning(
    trainers,
    () => trainers.create(setup),
    ({ runner }) => runner,
  );
}

export interface TextModelOptions {
  readonly note?: (text: string) => void;
  /** Where sessions are saved that hold the weights in such a way, and take so much; without it, they are made each time. */
  readonly saved?: (heldAs: readonly string[], bytes: number) => SavedSessions | undefined;
}

/**
 * Loads the base model for generation. By default quantized weights stay as stored, and others are held in 8 bits, which are
 * multiplied in integers if the processor can: several times faster than fp32, with nearly the same text. If `auto` chose a GPU
 * and it fails, then or later, the CPU takes over, and `note` reports it. Throws UserError('out-of-memory') with what would take
 * less memory; so do the model's methods.
 */
export async function loadTextModel(
  weights: WeightStore,
  engine: Pick<EngineOptions, 'device' | 'threads'> & { readonly base_dtype: 'auto' | DecodePrecision },
  { note, saved }: TextModelOptions = {},
): Promise<TextModel> {
  const dtype = engine.base_dtype === 'auto' ? 'stored' : engine.base_dtype;
  const loadOn = async (setting: DeviceSetting): Promise<TextModel> => {
    const { device } = await chooseDevice(setting, engine.threads);
    const make = async (): Promise<TextModel> => {
      const held = engine.base_dtype === 'auto' && (await multipliesIntegers(device)) ? 'integers' : dtype;
      return createTextModel(weights, device, held, saved?.([held, ...savedFor()], savedBytes(weights, held)));
    };
    return owning(device, make, (model) => model);
  };
  const loadOnCpu = ({ message }: UserError): Promise<TextModel> => {
    note?.(t`${message} Text is generated on the CPU from now on.`);
    return loadOn('cpu');
  };
  const load = () => (engine.device === 'auto' ? withFallback(() => loadOn('auto'), loadOnCpu) : loadOn(engine.device));
  const explain = (moment: 'loading' | 'writing') => writingRanOut.bind(null, { weights, dtype, device: engine.device }, moment);
  return textExplainingOutOfMemory(await explained(load, explain('loading')), explain('writing'));
}

/** Whether products of 8-bit integers are exact, and so as fast as they can be (docs/decisions/0020). */
async function multipliesIntegers(device: Device): Promise<boolean> {
  return device.kind === 'cpu' && !(await saturates(device));
}

/** `owner` is disposed of together with what was made on it, or when making it fails. */
async function owning<Made>(owner: Disposable, make: () => Promise<Made>, disposable: (made: Made) => Disposable): Promise<Made> {
  const made = await disposedOnFailure(owner, make);
  const last = disposable(made);
  const dispose = last.dispose.bind(last);
  last.dispose = () => dispose().finally(() => owner.dispose());
  return made;
}
