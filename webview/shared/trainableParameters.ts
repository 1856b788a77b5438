import type { ModelShape } from '../../src/protocol/backend.js';

/** Counts A [r, in] and B [out, r] for each target module of each adapted layer. Null `layers` means all. */
export function trainableParameters(
  shape: ModelShape,
  r: number,
  targetModules: readonly string[],
  layers: readonly number[] | null,
): number {
  const perLayer = targetModules.reduce((sum, name) => {
    const linear = Object.hasOwn(shape.linears, name) ? shape.linears[name] : undefined;
    return linear ? sum + r * (linear[0] + linear[1]) : sum;
  }, 0);
  const adapted = layers === null ? shape.layerCount : layers.filter((layer) => layer < shape.layerCount).length;
  return perLayer * adapted;
}
