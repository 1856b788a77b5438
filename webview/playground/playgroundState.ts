/** @file What a playground shows and asks with, and how it begins. Pure functions over plain data. */
import type { AdapterInfo, ModelInfo } from '../../src/protocol/backend.js';
import { adaptersFor, baseOf, newestAdaptersFirst } from '../../src/protocol/baseOf.js';
import { nullable, number, object, string, type Shape } from '../../src/protocol/shape.js';
import type { PlaygroundSide, Prefill, Voice } from '../../src/protocol/webview.js';
import { firstSettings, settingsShape, type PlaygroundSettings } from './settingsFields.js';

export interface Look {
  /** Of the panel that it belongs to. */
  readonly opening: number;
  readonly model: string;
  readonly left: Voice;
  /** null: there is no adapter to compare with. */
  readonly right: Voice | null;
  readonly prompt: string;
  readonly settings: PlaygroundSettings;
  /** Ids of requests count on after a reload, so that late answers to earlier ones are told apart. */
  readonly requestId: number;
}

export interface Choices {
  readonly models: readonly ModelInfo[];
  readonly adapters: readonly AdapterInfo[];
}

export const base: Voice = { adapter: null, strength: 1 };

const voiceShape: Shape<Voice> = object({ adapter: nullable(string), strength: number });
export const lookShape: Shape<Look> = object({
  opening: number,
  model: string,
  left: voiceShape,
  right: nullable(voiceShape),
  prompt: string,
  settings: settingsShape,
  requestId: number,
});
export const firstLook: Look = {
  opening: 0,
  model: '',
  left: base,
  right: null,
  prompt: '',
  settings: firstSettings,
  requestId: 0,
};

/** A look of an earlier panel goes on, but with strengths as trained. */
export function opened(look: Look, opening: number): Look {
  return look.opening === opening ? look : { ...atFullStrength(look), opening };
}

/** What a command asks for: an adapter stands beside the base. */
export function filledIn(look: Look, { model, adapter, prompt }: Prefill): Look {
  const kept = { ...atFullStrength(look), prompt: prompt ?? look.prompt };
  if (model === null && adapter === null) return kept;
  return { ...kept, model: model ?? look.model, left: base, right: adapter === null ? null : { adapter, strength: 1 } };
}

/** With a model that is here, and beside its base the newest adapter of it where none is chosen or the one chosen is another model's. */
export function settled(look: Look, choices: Choices): Look {
  if (choices.models.length === 0) return look; // nobody has looked yet
  const model = choices.models.some(({ path }) => path === look.model) ? look.model : firstModel(choices);
  const fits = (voice: Voice) => voice.adapter === null || mayFit(voice.adapter, model, choices);
  const [newest] = adaptersFor(model, choices.adapters, choices.models);
  const beside = newest === undefined ? null : { adapter: newest.path, strength: 1 };
  return {
    ...look,
    model,
    left: fits(look.left) ? look.left : base,
    right: look.right !== null && fits(look.right) ? look.right : beside,
  };
}

/** What is not listed was chosen by its folder: the backend will say whether it fits. */
function mayFit(path: string, model: string, { adapters, models }: Choices): boolean {
  const adapter = adapters.find((known) => known.path === path);
  return adapter === undefined || (baseOf(adapter, models)?.path ?? model) === model;
}

export function withVoice(look: Look, side: PlaygroundSide, change: Partial<Voice>): Look {
  return { ...look, [side]: { ...(look[side] ?? base), ...change } };
}

function atFullStrength(look: Look): Look {
  return { ...look, left: { ...look.left, strength: 1 }, right: look.right && { ...look.right, strength: 1 } };
}

/** That of the newest adapter: it is what one wants to look at. */
function firstModel({ adapters, models }: Choices): string {
  const bases = newestAdaptersFirst(adapters).map((adapter) => baseOf(adapter, models));
  return (bases.find((model) => model !== undefined) ?? models[0])?.path ?? '';
}
