import type { LoraShape } from '../core/adapters/lora.js';
import { UserError } from '../core/errors.js';
import type { BaseDType } from '../core/models/matrixForm.js';
import type { WeightStore } from '../core/models/weights.js';
import type { BatchShape } from '../core/train/programs.js';
import type { StepRunner, TrainableState } from '../core/train/stepRunner.js';
import { t } from '../l10n/text.js';
import { chooseDevice, type ChosenDevice, type DeviceSetting } from './chooseDevice.js';
import type { Device } from './device.js';
import { disposedOnFailure, type Disposable } from './disposal.js';
import type { EngineOptions } from './engineOptions.js';
import { FrozenWeights, type FrozenOptions } from './frozenWeights.js';
import { guarded } from './guardedRunner.js';
import { availableMemoryBytes } from './memory/available.js';
import { ranOut, tooLarge } from './memory/messages.js';
import { explained, explainingOutOfMemory } from './memory/outOfMemory.js';
import { dtypesToTry, fits, planMemory, type MemoryPlan } from './memory/plan.js';
import { createOnnxStepRunner } from './onnxStepRunner.js';
import { has16Bit } from './probe16Bit.js';
import { integerSpeedup } from './productSpeed.js';

export interface RunnerSetup {
  /** Null means the base model alone, whose loss can be measured. */
  readonly lora: LoraShape | null;
  readonly dropout: number;
  readonly initialState: TrainableState;
  readonly engine: EngineOptions;
  /** Whether the losses are the purpose, so that `auto` never rounds for the sake of speed. */
  readonly measures: boolean;
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

/** A device, and the settings by which it was chosen. */
interface OpenDevice extends ChosenDevice {
  readonly setting: DeviceSetting;
  readonly threads: number | null;
}

/**
 * Trainers of one model, one after the other. The base is loaded for the first and lies on the device, rounded and smoothed, until
 * one wants another device or another form, until something fails on it, or until this is disposed of: at most one is ever held.
 */
export class Trainers implements Disposable {
  private open: OpenDevice | null = null;
  private base: FrozenWeights | null = null;

  constructor(private readonly weights: WeightStore) {}

  /**
   * A trainer on the chosen device, ready to train the adapter; the one before must have been disposed of. Throws
   * UserError('out-of-memory') with what would fit, before anything is loaded if the estimate is too high; on a failure, the base is
   * released. The runner's methods throw it too when an allocation fails; on a GPU they throw UserError('device-failed').
   */
  create(setup: RunnerSetup): Promise<Trainer> {
    return disposedOnFailure(this, async () => {
      const { device, reason } = await this.deviceFor(setup.engine);
      setup.note?.(reason);
      return this.trainerOn(device, setup);
    });
  }

  async dispose(): Promise<void> {
    const { open, base } = this;
    [this.open, this.base] = [null, null];
    try {
      base?.dispose();
    } finally {
      await open?.device.dispose();
    }
  }

  private async deviceFor(engine: EngineOptions): Promise<OpenDevice> {
    const [setting, { threads }] = [deviceSetting(engine), engine];
    if (this.open && this.open.setting === setting && this.open.threads === threads) return this.open;
    await this.dispose();
    this.open = { ...(await chooseDevice(setting, threads)), setting, threads };
    return this.open;
  }

  private async trainerOn(
    device: Device,
    { engine, resumedDType = null, note, onPlan, batch, dataBytes = 0, measures, initialState, lora, dropout }: RunnerSetup,
  ): Promise<Trainer> {
    const { weights } = this;
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
    const explain = ranOut.bind(null, memory); // it must not keep the initial state
    const loading = async (): Promise<StepRunner> => {
      const frozen = await this.baseOn(device, { dtype: baseDType, streaming: layerStreaming }, note);
      return createOnnxStepRunner({ frozen, lora, dropout, batch, gradientCheckpointing, initialState });
    };
    return { runner: this.lent(explainingOutOfMemory(await explained(loading, explain), explain), device), memory };
  }

  private async baseOn(device: Device, options: FrozenOptions, note: RunnerSetup['note']): Promise<FrozenWeights> {
    if (this.base?.isHeldAs(options)) {
      note?.(t`The base is still loaded from the run before.`);
      return this.base;
    }
    this.base?.dispose();
    this.base = null;
    this.base = await FrozenWeights.load(this.weights, device, options);
    return this.base;
  }

  /** The base outlives the runner, unless something has failed: after that, nobody knows what the device still holds. */
  private lent(runner: StepRunner, device: Device): StepRunner {
    let hasFailed = false;
    return {
      ...guarded(runner, async (work) => {
        try {
          return await work();
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      }),
      dispose: async () => {
        await disposedOnFailure(this, () => runner.dispose());
        if (hasFailed) await this.dispose();
        else device.releaseSpare();
      },
    };
  }
}

/** Products in integers are the CPU's, so there is nothing to choose. */
function deviceSetting({ device, base_dtype }: EngineOptions): DeviceSetting {
  return device === 'auto' && base_dtype === 'int8' ? 'cpu' : device;
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
