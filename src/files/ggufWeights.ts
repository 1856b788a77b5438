/** @file The weights of a GGUF file under their Hugging Face names. */
import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';
import { decodeTensor } from '../core/formats/decodeTensor.js';
import { parseGguf, type GgufFile, type GgufTensor } from '../core/formats/gguf.js';
import { configFromGguf, familyOf } from '../core/models/registry.js';
import type { WeightStore } from '../core/models/weights.js';
import type { WeightSpec } from '../core/models/weightSpec.js';
import { weightTable } from '../core/models/weightTable.js';
import { elementCount } from '../core/shape.js';
import { t } from '../l10n/text.js';
import { openFile } from './fileSource.js';
import { FileWeightStore, wholePart, type FileWeight } from './weightStore.js';

export const ropeFactorsName = 'rope_freqs.weight';
/** Half of the largest head size that checkedConfig accepts. */
const maxRopeFactors = 2048;

/** Throws UserError naming the file and what is damaged or unsupported in it. */
export function openGgufWeights(path: string): { weights: WeightStore; metadata: GgufFile['metadata'] } {
  const source = openFile(path);
  try {
    const file = parseGguf(source);
    // Comes before the weights, so that a model of another family is rejected by architecture, not by its first unknown tensor.
    const config = configFromGguf(file, ropeFactors(file, source), path);
    const tensors = [...file.tensors.values()].filter((tensor) => tensor.name !== ropeFactorsName);
    const specs = new Map(weightTable(config).all.map((spec) => [spec.ggufName, spec]));
    const weights = new Map<string, FileWeight>();
    for (const tensor of tensors) {
      const spec = specs.get(tensor.name);
      if (!spec) {
        const { architecture } = familyOf(config);
        throw new UserError('model-unsupported', t`${path} holds the tensor ${tensor.name}, which no ${architecture} has.`);
      }
      weights.set(spec.name, fileWeight(tensor, spec, path));
    }
    return { weights: new FileWeightStore(config, weights, new Map([[path, source]]), path), metadata: file.metadata };
  } catch (error) {
    source.close();
    throw error;
  }
}

/**
 * The metadata of a model file as it is, for a file with the same model in another type: all entries except those on the types and
 * the layout of the tensors. The entries of a GGUF file that this program reads are always of one part.
 */
export function copyGgufMetadata(path: string): Map<string, Uint8Array> {
  const source = openFile(path);
  try {
    const entries = [...parseGguf(source).ranges].filter(([key]) => !aboutTensors.test(key));
    return new Map(
      entries.map(([key, { offset, byteLength }]) => {
        const bytes = new Uint8Array(byteLength);
        source.read(offset, bytes);
        return [key, bytes];
      }),
    );
  } finally {
    source.close();
  }
}

/** Whether a file begins with GGUF's magic number; those in Ollama's store have no other mark. */
export function beginsAsGguf(path: string): boolean {
  const source = openFile(path);
  try {
    const magic = new Uint8Array(4);
    if (source.size < magic.length) return false;
    source.read(0, magic);
    return String.fromCharCode(...magic) === 'GGUF';
  } finally {
    source.close();
  }
}

const aboutTensors = /^general\.(file_type|quantization_version|alignment)$|^split\./;

function fileWeight(
  { type, shape, offset, byteLength }: GgufTensor,
  { name, permutedInGguf }: WeightSpec,
  file: string,
): FileWeight {
  const parts = [wholePart(file, offset, shape)];
  return { name, storedType: type, shape, file, byteLength, permutedRows: permutedInGguf, lessOne: false, parts };
}

/** LLaMA 3's frequency divisors, which llama.cpp stores as a tensor. */
function ropeFactors({ tensors }: GgufFile, source: ByteSource): Float32Array | null {
  const tensor = tensors.get(ropeFactorsName);
  if (!tensor) return null;
  const count = elementCount(tensor.shape);
  if (count > maxRopeFactors) throw new UserError('file-corrupt', t`${source.name}: ${ropeFactorsName} has ${count} elements.`);
  const factors = new Float32Array(count);
  decodeTensor(source, { ...tensor, storedType: tensor.type }, factors);
  return factors;
}
