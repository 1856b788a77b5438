import type { Adapter } from '../core/adapters/peft.js';
import type { TextModel } from '../core/generate/textModel.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { readAdapterFor } from '../files/adapterFolder.js';
import { loadModel } from '../files/loadModel.js';
import { savedSessionsOf } from '../files/savedSessions.js';
import type { DeviceSetting } from '../runtime/chooseDevice.js';
import { disposeQuietly } from '../runtime/disposal.js';
import { loadTextModel } from '../runtime/engine.js';
import type { Output } from './output.js';

export interface TextModelOptions {
  readonly model: string;
  readonly adapter?: string;
  readonly device: DeviceSetting;
  readonly threads?: number;
}

/** Loads a model that generates text, and the adapter if one is named, for the duration of `work`. */
export async function withTextModel<Result>(
  output: Output,
  options: TextModelOptions,
  work: (model: TextModel, tokenizer: Tokenizer, adapter: Adapter | null) => Promise<Result>,
): Promise<Result> {
  const base = loadModel(options.model);
  const { weights, tokenizer } = base;
  try {
    const adapter = options.adapter === undefined ? null : readAdapterFor(weights.config, options.adapter);
    const engine = { device: options.device, base_dtype: 'auto', threads: options.threads ?? null } as const;
    const model = await loadTextModel(weights, engine, { note: (text) => output.warn(text), saved: savedSessionsOf(base.path) });
    try {
      return await work(model, tokenizer, adapter);
    } finally {
      await disposeQuietly(model);
    }
  } finally {
    weights.close();
  }
}
