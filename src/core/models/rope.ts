import type { RopeScaling, RopeSettings } from './config.js';

interface RopeTables {
  /** [positions, headDim / 2], row-major. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** cos and sin of position · frequency for positions 0 … positions−1 (https://arxiv.org/abs/2104.09864). */
export function ropeTables(rope: RopeSettings, headDim: number, positions: number): RopeTables {
  const frequencies = ropeFrequencies(rope, headDim);
  const factor = rope.scaling.type === 'yarn' ? rope.scaling.attentionFactor : 1;
  const cos = new Float32Array(positions * frequencies.length);
  const sin = new Float32Array(positions * frequencies.length);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < frequencies.length; i++) {
      // The product is rounded to fp32 as in PyTorch; otherwise long contexts would differ from the reference.
      const angle = Math.fround(position * frequencies[i]!);
      cos[position * frequencies.length + i] = factor * Math.cos(angle);
      sin[position * frequencies.length + i] = factor * Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** Radians per position for each of the headDim / 2 pairs, scaled as configured. */
export function ropeFrequencies({ theta, scaling }: RopeSettings, headDim: number): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const frequency = Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / headDim)));
    return scaled(frequency, i, scaling, theta, headDim);
  });
}

function scaled(frequency: number, index: number, scaling: RopeScaling, theta: number, headDim: number): number {
  switch (scaling.type) {
    case 'none':
      return frequency;
    case 'linear':
      return frequency / scaling.factor;
    case 'factors':
      return frequency / scaling.factors[index]!;
    case 'llama3': {
      // Long wavelengths are stretched by the factor, short ones kept, and those in between blended (Llama 3.1, rope_scaling).
      const wavelength = (2 * Math.PI) / frequency;
      const { factor, lowFrequencyFactor, highFrequencyFactor, originalContextLength } = scaling;
      if (wavelength < originalContextLength / highFrequencyFactor) return frequency;
      if (wavelength > originalContextLength / lowFrequencyFactor) return frequency / factor;
      const smooth = (originalContextLength / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
      return ((1 - smooth) * frequency) / factor + smooth * frequency;
    }
    case 'yarn': {
      // Pairs that turn often within the original context are kept; those that hardly turn are stretched (section 3.2).
      const { factor, betaFast, betaSlow, originalContextLength, truncate } = scaling;
      const pairOf = (turns: number): number =>
        (headDim * Math.log(originalContextLength / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
      const [low, high] = truncate
        ? [Math.floor(pairOf(betaFast)), Math.ceil(pairOf(betaSlow))]
        : [pairOf(betaFast), pairOf(betaSlow)];
      const [first, last] = [Math.max(low, 0), Math.min(high, headDim - 1)];
      const stretched = Math.min(1, Math.max(0, (index - first) / (first === last ? 0.001 : last - first)));
      return (frequency / factor) * stretched + frequency * (1 - stretched);
    }
  }
}
