import type { ModelConfig, RopeSettings } from './config.js';
import type { HuggingFaceFields } from './huggingFaceFields.js';

export type LayerType = 'full_attention' | 'sliding_attention';

export function isLayerType(value: unknown): value is LayerType {
  return value === 'full_attention' || value === 'sliding_attention';
}

/**
 * Qwen's attention: with `use_sliding_window`, layers from `max_window_layers` on have a window, unless `layer_types` is given.
 */
export function slidingLayers(
  fields: HuggingFaceFields,
  layerCount: number,
  rope: RopeSettings,
): Pick<ModelConfig, 'attentionKinds' | 'layerPattern'> {
  const full = { rope, window: null };
  const window = fields.flag('use_sliding_window') ? fields.optionalInteger('sliding_window', 4096) : null;
  if (window === null) return { attentionKinds: [full], layerPattern: [0] };
  const firstSliding = fields.integer('max_window_layers', 28);
  const layerTypes =
    fields.perLayer('layer_types', layerCount, isLayerType) ??
    Array.from({ length: layerCount }, (_, layer): LayerType => (layer >= firstSliding ? 'sliding_attention' : 'full_attention'));
  return {
    attentionKinds: [full, { rope, window }],
    layerPattern: layerTypes.map((type) => Number(type === 'sliding_attention')),
  };
}
