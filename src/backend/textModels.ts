import { statSync } from 'node:fs';
import { join } from 'node:path';
import { adapterTensorsFile, checkAdapterFits, type Adapter } from '../core/adapters/peft.js';
import type { TextModel } from '../core/generate/textModel.js';
import { readAdapterFolder } from '../files/adapterFolder.js';
import { loadModel, type LoadedModel } from '../files/loadModel.js';
import { loadTextModel } from '../runtime/engine.js';
import type { EngineChoice } from './workerProtocol.js';

export interface ReadyModel extends LoadedModel {
  readonly textModel: TextModel;
}

/** The base model that is loaded, one at a time, and the adapters that were used with it. */
export class TextModels {
  private loaded: { readonly path: string; readonly model: Promise<ReadyModel> } | undefined;
  private readonly adapters = new Map<string, { readonly modified: number; readonly adapter: Adapter }>();

  constructor(private engine: EngineChoice) {}

  async configure(engine: EngineChoice): Promise<void> {
    if (JSON.stringify(engine) === JSON.stringify(this.engine)) return;
    this.engine = engine;
    await this.unload();
  }

  async model(path: string): Promise<ReadyModel> {
    if (this.loaded?.path !== path) {
      await this.unload();
      this.loaded = { path, model: this.load(path) };
    }
    try {
      return await this.loaded!.model;
    } catch (error) {
      this.loaded = undefined;
      throw error;
    }
  }

  /** Read again when a training run has written it anew. Throws UserError where it does not fit the model. */
  adapter({ weights }: ReadyModel, folder: string | null): Adapter | null {
    if (folder === null) return null;
    const modified = statSync(join(folder, adapterTensorsFile), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const known = this.adapters.get(folder);
    const adapter = known?.modified === modified ? known.adapter : readAdapterFolder(folder);
    this.adapters.set(folder, { modified, adapter });
    checkAdapterFits(adapter, weights.config, folder);
    return adapter;
  }

  private async load(path: string): Promise<ReadyModel> {
    const model = loadModel(path);
    try {
      return { ...model, textModel: await loadTextModel(model.weights, { ...this.engine, base_dtype: 'auto' }) };
    } catch (error) {
      model.weights.close();
      throw error;
    }
  }

  private async unload(): Promise<void> {
    const model = await this.loaded?.model.catch(() => undefined);
    this.loaded = undefined;
    await model?.textModel.dispose();
    model?.weights.close();
  }
}
