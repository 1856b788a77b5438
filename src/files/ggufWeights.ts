/** @file The weights of a GGUF file under their Hugging Face names. */
import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';
import { decodeTensor } from '../core/formats/decodeTensor.js';
import { parseGguf, type GgufFile, type GgufTensor } from '../core/formats/gguf.js';
import { configFromGguf } from '../core/llama/configFromGguf.js';
import { isPermutedInGguf, nameFromGguf } from '../core/llama/weightNames.js';
import type { WeightInfo, WeightStore } from '../core/llama/weights.js';
import { elementCount } from '../core/shape.js';
import { t } from '../l10n/text.js';
import { openFile } from './fileSource.js';
import { FileWeightStore } from './weightStore.js';

const ropeFactorsName = 'rope_freqs.weight';
/** Half of the largest head size that checkedConfig lets pass. */
const mostRopeFactors = 2048;

/** Throws UserError naming the file and what is damaged or not supported in it. */
export function openGgufWeights(path: string): { weights: WeightStore; metadata: GgufFile['metadata'] } {
  const source = openFile(path);
  try {
    const file = parseGguf(source);
    // Before the weights: of a model that is no LLaMA, its architecture is the news, not its first unknown tensor.
    const config = configFromGguf(file, ropeFactors(file, source), path);
    const tensors = [...file.tensors.values()].filter((tensor) => tensor.name !== ropeFactorsName);
    const infos = new Map(tensors.map((tensor) => weightInfo(tensor, path)).map((info) => [info.name, info]));
    return { weights: new FileWeightStore(config, infos, new Map([[path, source]]), path), metadata: file.metadata };
  } catch (error) {
    source.close();
    throw error;
  }
}

function weightInfo({ name: storedName, type, shape, offset, byteLength }: GgufTensor, file: string): WeightInfo {
  const name = nameFromGguf(storedName);
  if (!name) throw new UserError('model-unsupported', t`${file} holds the tensor ${storedName}, which no LLaMA has.`);
  return { name, storedType: type, shape, file, offset, byteLength, permutedRows: isPermutedInGguf(name) };
}

/** LLaMA 3's frequency divisors, which llama.cpp stores as a tensor. */
function ropeFactors({ tensors }: GgufFile, source: ByteSource): Float32Array | null {
  const tensor = tensors.get(ropeFactorsName);
  if (!tensor) return null;
  const count = elementCount(tensor.shape);
  if (count > mostRopeFactors)
    throw new UserError('file-corrupt', t`${source.name}: ${ropeFactorsName} has ${count} elements.`);
  const factors = new Float32Array(count);
  decodeTensor(source, { ...tensor, storedType: tensor.type }, factors);
  return factors;
}
