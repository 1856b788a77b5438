import type { LlamaConfig, RopeScaling } from './config.js';

interface RopeTables {
  /** [positions, headDim / 2], row-major. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** cos and sin of position · frequency for positions 0 … positions−1 (https://arxiv.org/abs/2104.09864). */
export function ropeTables(config: LlamaConfig, positions: number): RopeTables {
  const frequencies = ropeFrequencies(config);
  const cos = new Float32Array(positions * frequencies.length);
  const sin = new Float32Array(positions * frequencies.length);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < frequencies.length; i++) {
      // The product is rounded to fp32 as in PyTorch, or long contexts would differ from the reference.
      const angle = Math.fround(position * frequencies[i]!);
      cos[position * frequencies.length + i] = Math.cos(angle);
      sin[position * frequencies.length + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** Radians per position for each of the headDim / 2 pairs, scaled as the config says. */
export function ropeFrequencies({ headDim, ropeTheta, ropeScaling }: LlamaConfig): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const frequency = Math.fround(1 / Math.fround(ropeTheta ** Math.fround((2 * i) / headDim)));
    return scaleFrequency(frequency, i, ropeScaling);
  });
}

function scaleFrequency(frequency: number, index: number, scaling: RopeScaling): number {
  switch (scaling.type) {
    case 'none':
      return frequency;
    case 'linear':
      return frequency / scaling.factor;
    case 'factors':
      return frequency / scaling.factors[index]!;
    case 'llama3': {
      // Long wavelengths are stretched by the factor, short ones kept, those between blended (Llama 3.1, rope_scaling).
      const wavelength = (2 * Math.PI) / frequency;
      const { factor, lowFrequencyFactor, highFrequencyFactor, originalContextLength } = scaling;
      if (wavelength < originalContextLength / highFrequencyFactor) return frequency;
      if (wavelength > originalContextLength / lowFrequencyFactor) return frequency / factor;
      const smooth = (originalContextLength / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
      return ((1 - smooth) * frequency) / factor + smooth * frequency;
    }
  }
}
