/** @file What generation takes of memory, told from a model's header. */
import type { LlamaConfig } from '../llama/config.js';
import { matrixBytes, type MatrixForm } from '../llama/frozenMatrix.js';
import { headName, linearNames, linearPath, type WeightInfo, type WeightStore } from '../llama/weights.js';

/** Of all matrices that are held; rows of the embeddings are read from the file. */
export function decodeWeightBytes(store: Pick<WeightStore, 'config' | 'info'>, form: (matrix: WeightInfo) => MatrixForm): number {
  const layers = Array.from({ length: store.config.layerCount }, (_, layer) => linearNames.map((linear) => `${linearPath(layer, linear)}.weight`));
  const matrices = [headName(store.config), ...layers.flat()].map((name) => store.info(name)!);
  return matrices.reduce((sum, matrix) => sum + matrixBytes(form(matrix), matrix.shape as [number, number]), 0);
}

/** Keys and values of all layers, in fp32. */
export function cacheBytesPerToken({ layerCount, keyValueHeadCount, headDim }: LlamaConfig): number {
  return 4 * 2 * layerCount * keyValueHeadCount * headDim;
}
