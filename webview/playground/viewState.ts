/** @file The view state of a playground and how it begins. Pure functions over plain data. */
import type { AdapterInfo, ModelInfo } from '../../src/protocol/backend.js';
import { adaptersFor, baseOf, newestAdaptersFirst } from '../../src/protocol/baseOf.js';
import { nullable, number, object, string, type Guard } from '../../src/protocol/guard.js';
import type { PlaygroundSide, Prefill, Variant } from '../../src/protocol/views/playground.js';
import { firstSettings, isSettings, type PlaygroundSettings } from './settingsFields.js';

export interface ViewState {
  /** The `opening` of the panel that this state belongs to. */
  readonly opening: number;
  readonly model: string;
  readonly left: Variant;
  /** Null if there is no adapter to compare with. */
  readonly right: Variant | null;
  readonly prompt: string;
  readonly settings: PlaygroundSettings;
  /** Request ids keep counting after a reload, so that late answers to earlier requests are recognised. */
  readonly requestId: number;
}

export interface Choices {
  readonly models: readonly ModelInfo[];
  readonly adapters: readonly AdapterInfo[];
}

export const base: Variant = { adapter: null, strength: 1 };

const isVariant: Guard<Variant> = object({ adapter: nullable(string), strength: number });
export const isViewState: Guard<ViewState> = object({
  opening: number,
  model: string,
  left: isVariant,
  right: nullable(isVariant),
  prompt: string,
  settings: isSettings,
  requestId: number,
});
export const initialViewState: ViewState = {
  opening: 0,
  model: '',
  left: base,
  right: null,
  prompt: '',
  settings: firstSettings,
  requestId: 0,
};

/** Continues the state of an earlier panel, but with strengths as trained. */
export function opened(state: ViewState, opening: number): ViewState {
  return state.opening === opening ? state : { ...atFullStrength(state), opening };
}

/** Applies what a command asks for: an adapter goes next to the base. */
export function filledIn(state: ViewState, { model, adapter, prompt }: Prefill): ViewState {
  const kept = { ...atFullStrength(state), prompt: prompt ?? state.prompt };
  if (model === null && adapter === null) return kept;
  return { ...kept, model: model ?? state.model, left: base, right: adapter === null ? null : { adapter, strength: 1 } };
}

/** Chooses a model that exists, and next to the base its newest adapter, unless one that may fit is already chosen. */
export function settled(state: ViewState, choices: Choices): ViewState {
  if (choices.models.length === 0) return state; // nothing has been listed yet
  const model = choices.models.some(({ path }) => path === state.model) ? state.model : firstModel(choices);
  const fits = (variant: Variant) => variant.adapter === null || mayFit(variant.adapter, model, choices);
  const [newest] = adaptersFor(model, choices.adapters, choices.models);
  const beside = newest === undefined ? null : { adapter: newest.path, strength: 1 };
  return {
    ...state,
    model,
    left: fits(state.left) ? state.left : base,
    right: state.right !== null && fits(state.right) ? state.right : beside,
  };
}

/** An adapter that is not listed was chosen by its folder: the backend will tell whether it fits. */
function mayFit(path: string, model: string, { adapters, models }: Choices): boolean {
  const adapter = adapters.find((known) => known.path === path);
  return adapter === undefined || (baseOf(adapter, models)?.path ?? model) === model;
}

export function withVariant(state: ViewState, side: PlaygroundSide, change: Partial<Variant>): ViewState {
  return { ...state, [side]: { ...(state[side] ?? base), ...change } };
}

function atFullStrength(state: ViewState): ViewState {
  return { ...state, left: { ...state.left, strength: 1 }, right: state.right && { ...state.right, strength: 1 } };
}

/** The base of the newest adapter, which is what the user wants to look at. */
function firstModel({ adapters, models }: Choices): string {
  const bases = newestAdaptersFirst(adapters).map((adapter) => baseOf(adapter, models));
  return (bases.find((model) => model !== undefined) ?? models[0])?.path ?? '';
}
