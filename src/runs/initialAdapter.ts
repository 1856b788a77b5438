import { adaptedLayers, type LoraShape } from '../core/adapters/lora.js';
import type { Adapter } from '../core/adapters/peft.js';
import { UserError } from '../core/errors.js';
import type { ModelConfig } from '../core/models/config.js';
import { initialLoraState, withZeroMoments } from '../core/train/loraInit.js';
import type { TrainableState } from '../core/train/stepRunner.js';
import { readAdapterFor } from '../files/adapterFolder.js';
import { t } from '../l10n/text.js';
import type { RunConfig } from '../protocol/runConfig.js';

/** What a run begins with: the adapter that its settings name, or a new one. Throws UserError for one of another shape. */
export function initialState({ lora: config, train }: RunConfig, model: ModelConfig, lora: LoraShape): TrainableState {
  if (config.init_from === null) return initialLoraState(model, lora, train.seed);
  const adapter = readAdapterFor(model, config.init_from);
  checkSameShape(adapter, lora, model, config.init_from);
  return withZeroMoments(adapter.parameters);
}

/** An adapter is trained further as it is: nothing in it is silently dropped, added or rescaled. */
function checkSameShape(adapter: Adapter, lora: LoraShape, model: ModelConfig, folder: string): void {
  const mismatch = (what: string) => new UserError('adapter-mismatch', t`${folder} cannot be trained further here: ${what}.`);
  if (!adapter.isUniform) throw mismatch(t`its linears have different ranks or strengths`);
  const settings = [
    ['lora.r', adapter.lora.r, lora.r],
    ['lora.alpha', adapter.lora.alpha, lora.alpha],
    ['lora.use_rslora', adapter.lora.useRslora, lora.useRslora],
    ['lora.target_modules', adapter.lora.targetModules.join(), lora.targetModules.join()],
    ['lora.layers', adaptedLayers(model, adapter.lora).join(), adaptedLayers(model, lora).join()],
  ] as const;
  for (const [setting, ofAdapter, ofConfig] of settings) {
    if (ofAdapter !== ofConfig)
      throw mismatch(
        t`its ${setting} is ${String(ofAdapter)}, but this run's is ${String(ofConfig)}. Set ${setting} to the adapter's`,
      );
  }
}
