/** @file The families of models that can be trained. */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { GgufFile } from '../formats/gguf.js';
import { shortened, shownValue } from '../formats/shownValue.js';
import { checkedConfig, type ModelConfig } from './config.js';
import { gemma3 } from './families/gemma3.js';
import { llama } from './families/llama.js';
import { mistral } from './families/mistral.js';
import { qwen2 } from './families/qwen2.js';
import { qwen3 } from './families/qwen3.js';
import { smollm3 } from './families/smollm3.js';
import type { Family } from './family.js';
import { GgufFields } from './ggufFields.js';
import { HuggingFaceFields } from './huggingFaceFields.js';

export const families: readonly Family[] = [llama, qwen2, qwen3, mistral, smollm3, gemma3];

export function familyOf({ family }: Pick<ModelConfig, 'family'>): Family {
  const found = families.find(({ name }) => name === family);
  if (!found) throw new Error(`internal: no family is called ${family}`);
  return found;
}

/**
 * Reads a config.json, with the defaults of transformers' configuration classes.
 * Throws UserError('model-unsupported') for an unknown architecture, ('file-corrupt') for fields of the wrong type.
 */
export function configFromHuggingFace(json: unknown, file: string): ModelConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UserError('file-corrupt', t`${file} contains no JSON object.`);
  const fields = new HuggingFaceFields(json as Record<string, unknown>, file);
  const family = familyOfHuggingFace(fields);
  const quantization = fields.object('quantization_config');
  if (quantization) {
    const method = quantization.text('quant_method') ?? t`an unknown method`;
    throw new UserError(
      'model-unsupported',
      t`${file}: the weights are quantized with ${shortened(method)}. Use the original model, or a GGUF.`,
    );
  }
  return checkedConfig(family.readConfig(fields), file);
}

/** An older config may name only the architecture or only the type. */
function familyOfHuggingFace(fields: HuggingFaceFields): Family {
  const modelType = fields.text('model_type');
  const architectures = fields.texts('architectures');
  const family = families.find(
    (each) =>
      (modelType ?? each.modelType) === each.modelType &&
      (architectures.length > 0 ? architectures.includes(each.architecture) : modelType !== undefined),
  );
  if (family) return family;
  const what = architectures.length > 0 ? architectures.join(', ') : (modelType ?? t`a model of no stated type`);
  const trained = families.map(({ architecture }) => architecture).join(', ');
  throw new UserError('model-unsupported', t`${fields.file} describes ${shortened(what)}; LoRA Workbench trains ${trained}.`);
}

/** The content of config.json, without what only concerns the files, such as the type of the weights. */
export function configJson(config: ModelConfig): Record<string, unknown> {
  const { architecture, modelType, writeConfig } = familyOf(config);
  return { architectures: [architecture], model_type: modelType, ...writeConfig(config) };
}

/**
 * Reads the metadata of a GGUF file. `ropeFactors` are the divisors in rope_freqs.weight, if the file has it.
 * Throws UserError('model-unsupported' | 'file-corrupt') naming the file.
 */
export function configFromGguf(
  gguf: Pick<GgufFile, 'metadata' | 'tensors'>,
  ropeFactors: Float32Array | null,
  file: string,
): ModelConfig {
  const architecture = gguf.metadata.get('general.architecture');
  const formats = families.map(({ gguf: format }) => format).filter(({ readConfig }) => readConfig !== null);
  const format = formats.find((each) => each.architecture === architecture);
  if (!format?.readConfig) {
    const trained = formats.map((each) => each.architecture).join(', ');
    const message = t`${file} is a model of architecture ${shownValue(architecture)}; LoRA Workbench trains those of architecture ${trained}.`;
    throw new UserError('model-unsupported', message);
  }
  return checkedConfig(format.readConfig(new GgufFields(gguf, ropeFactors, file)), file);
}
