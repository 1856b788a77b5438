import type { BaseDType } from '../core/models/matrixForm.js';
import type { DeviceSetting } from './chooseDevice.js';

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
