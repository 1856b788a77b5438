/** @file How much memory generation uses, determined from a model's header. */
import type { ModelConfig } from '../../core/models/config.js';
import { matrixBytes, type FloatForm } from '../../core/models/frozenMatrix.js';
import type { WeightInfo, WeightStore } from '../../core/models/weights.js';
import { weightTable } from '../../core/models/weightTable.js';

/** Bytes of all matrices that are held in memory; rows of the embeddings are read from the file. */
export function decodeWeightBytes(store: Pick<WeightStore, 'config' | 'info'>, form: (matrix: WeightInfo) => FloatForm): number {
  const { all, head } = weightTable(store.config);
  const matrices = [head, ...all.filter(({ kind }) => kind === 'linear')].map(({ name }) => store.info(name)!);
  return matrices.reduce((sum, matrix) => sum + matrixBytes(form(matrix), matrix.shape as [number, number]), 0);
}

/** Keys and values of all layers, in fp32. */
export function cacheBytesPerToken({ layerCount, keyValueHeadCount, headDim }: ModelConfig): number {
  return 4 * 2 * layerCount * keyValueHeadCount * headDim;
}
