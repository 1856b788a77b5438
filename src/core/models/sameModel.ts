import type { ModelConfig } from './config.js';
import { attentionKindOf } from './config.js';
import { ropeFrequencies } from './rope.js';

/** Whether two configs mean the same computation, however each spells its families, layer patterns and rotary scaling. */
export function sameModel(a: ModelConfig, b: ModelConfig): boolean {
  const same = (key: keyof ModelConfig): boolean => JSON.stringify(a[key]) === JSON.stringify(b[key]);
  const close = (x: number, y: number): boolean => Math.abs(x - y) <= 1e-4 * Math.abs(y);
  return (
    (['vocabSize', 'hiddenSize', 'intermediateSize', 'layerCount', 'headCount', 'keyValueHeadCount', 'headDim'] as const).every(
      same,
    ) &&
    (['contextLength', 'tiedEmbeddings', 'biases'] as const).every(same) &&
    close(a.rmsNormEpsilon, b.rmsNormEpsilon) &&
    close(a.attentionScale ?? a.headDim ** -0.5, b.attentionScale ?? b.headDim ** -0.5) &&
    close(a.embeddingScale ?? 1, b.embeddingScale ?? 1) &&
    Array.from({ length: a.layerCount }, (_, layer) => layer).every((layer) => sameAttention(a, b, layer, close))
  );
}

function sameAttention(a: ModelConfig, b: ModelConfig, layer: number, close: (x: number, y: number) => boolean): boolean {
  const [one, other] = [a, b].map((config) => config.attentionKinds[attentionKindOf(config, layer)]!) as [Kind, Kind];
  if (one.window !== other.window || (one.rope === null) !== (other.rope === null)) return false;
  if (!one.rope || !other.rope) return true;
  const factor = ({ scaling }: NonNullable<Kind['rope']>): number => (scaling.type === 'yarn' ? scaling.attentionFactor : 1);
  const [mine, theirs] = [ropeFrequencies(one.rope, a.headDim), ropeFrequencies(other.rope, b.headDim)];
  return close(factor(one.rope), factor(other.rope)) && mine.every((frequency, index) => close(frequency, theirs[index]!));
}

type Kind = ModelConfig['attentionKinds'][number];
