import { statSync } from 'node:fs';
import { join } from 'node:path';
import { adapterTensorsFile, checkAdapterFits, type Adapter } from '../core/adapters/peft.js';
import { UserError, type ErrorCode } from '../core/errors.js';
import type { TextModel } from '../core/generate/textModel.js';
import { readAdapterFolder } from '../files/adapterFolder.js';
import { loadModel, type LoadedModel } from '../files/loadModel.js';
import { savedSessionsOf } from '../files/savedSessions.js';
import { disposeQuietly } from '../runtime/disposal.js';
import { loadTextModel } from '../runtime/engine.js';
import { Mutex } from '../core/mutex.js';
import type { DeviceSetting } from '../runtime/chooseDevice.js';

/** Where to compute; null threads mean that the engine decides. */
export interface EngineChoice {
  readonly device: DeviceSetting;
  readonly threads: number | null;
}

export interface ReadyModel extends LoadedModel {
  readonly textModel: TextModel;
  /** What went wrong so far, if another device had to take over; otherwise null. */
  warning(): string | null;
}

/** Errors after which a model has lost its device or may hold a partially grown cache. */
const endOfModel: readonly ErrorCode[] = ['device-failed', 'out-of-memory'];

/** Number of adapters kept in memory, the same as the model itself keeps ready. */
const keptAdapters = 4;

interface Loaded {
  readonly path: string;
  readonly model: ReadyModel;
  /** What is being done with it. */
  readonly uses: Set<Promise<unknown>>;
}

/** Holds the loaded base model, one at a time, and the most recently used adapters. */
export class TextModels {
  private loaded: Loaded | undefined;
  /** In which models are loaded and unloaded. */
  private readonly mutex = new Mutex();
  /** Most recently used last. */
  private readonly adapters = new Map<string, { readonly modified: number; readonly adapter: Adapter }>();

  constructor(
    private engine: EngineChoice,
    private readonly load: (path: string, engine: EngineChoice) => Promise<ReadyModel> = loadReadyModel,
  ) {}

  configure(engine: EngineChoice): Promise<void> {
    return this.mutex.runExclusive(async () => {
      if (JSON.stringify(engine) === JSON.stringify(this.engine)) return;
      this.engine = engine;
      await this.unload();
    });
  }

  /**
   * Lends the model to `work`; several may use it at once, and another one is loaded when they are done. If the device fails or
   * memory runs out, the next call reloads the model.
   */
  async use<Result>(path: string, work: (model: ReadyModel) => Promise<Result>): Promise<Result> {
    const { loaded, use } = await this.mutex.runExclusive(async () => {
      const loaded = await this.loadedFrom(path);
      const use = work(loaded.model);
      loaded.uses.add(use);
      return { loaded, use };
    });
    try {
      return await use;
    } catch (error) {
      if (error instanceof UserError && endOfModel.includes(error.code)) void this.mutex.runExclusive(() => this.unload(loaded));
      throw error;
    } finally {
      loaded.uses.delete(use);
    }
  }

  /** Waits for those who use the model. */
  close(): Promise<void> {
    return this.mutex.runExclusive(() => this.unload());
  }

  /** Rereads the adapter if a training run has rewritten it. Throws UserError if it does not fit the model. */
  adapter({ weights }: ReadyModel, folder: string | null): Adapter | null {
    if (folder === null) return null;
    const modified = statSync(join(folder, adapterTensorsFile), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const known = this.adapters.get(folder);
    const adapter = known?.modified === modified ? known.adapter : readAdapterFolder(folder);
    this.adapters.delete(folder);
    this.adapters.set(folder, { modified, adapter });
    for (const oldest of [...this.adapters.keys()].slice(0, -keptAdapters)) this.adapters.delete(oldest);
    checkAdapterFits(adapter, weights.config, folder);
    return adapter;
  }

  private async loadedFrom(path: string): Promise<Loaded> {
    if (this.loaded?.path === path) return this.loaded;
    await this.unload();
    this.loaded = { path, model: await this.load(path, this.engine), uses: new Set() };
    return this.loaded;
  }

  private async unload(loaded = this.loaded): Promise<void> {
    if (!loaded || this.loaded !== loaded) return;
    this.loaded = undefined;
    await Promise.allSettled(loaded.uses);
    await disposeQuietly(loaded.model.textModel);
    loaded.model.weights.close();
  }
}

async function loadReadyModel(path: string, engine: EngineChoice): Promise<ReadyModel> {
  const model = loadModel(path);
  let warning: string | null = null;
  const note = (text: string) => {
    warning = text;
    log(text);
  };
  try {
    const textModel = await loadTextModel(
      model.weights,
      { ...engine, base_dtype: 'auto' },
      { note, saved: savedSessionsOf(model.path) },
    );
    return { ...model, textModel, warning: () => warning };
  } catch (error) {
    model.weights.close();
    throw error;
  }
}

/** A worker's stderr goes to the backend's log. */
function log(text: string): void {
  process.stderr.write(`${text}\n`);
}
