import { describe, expect, test } from 'vitest';
import { presets } from '../../../src/protocol/presets.js';
import { runConfigSchema, type SettingSchema } from '../../../src/protocol/runConfigSchema.js';
import { validateRunConfig } from '../../../src/protocol/validateRunConfig.js';

const smallest = { model: 'm', data: { path: 'd.json' } };

function problems(json: unknown): string[] {
  const result = validateRunConfig(json);
  return result.ok ? [] : result.problems.map((problem) => problem.message);
}

/** The smallest config with one setting changed. */
function withSetting(section: string, key: string, value: unknown): unknown {
  return { ...smallest, [section]: { ...(section === 'data' ? smallest.data : {}), [key]: value } };
}

test('defaults are those the documentation promises', () => {
  const result = validateRunConfig({ $schema: './schema.json', ...smallest });
  expect(result).toEqual({
    ok: true,
    config: {
      model: 'm',
      data: {
        path: 'd.json',
        format: 'auto',
        eval_path: null,
        eval_fraction: 0.05,
        max_seq_length: 256,
        packing: false,
        shuffle: true,
        train_on_prompt: false,
        fim_rate: 0.5,
        fim_spm_rate: null,
        fim_loss: 'all',
        fim_format: 'auto',
        include: null,
        exclude: [],
        languages: null,
        dedup: 'near',
        scan_secrets: true,
        eval_split: 'random',
        max_tokens: null,
      },
      lora: {
        r: 8,
        alpha: 16,
        dropout: 0.05,
        target_modules: ['q_proj', 'v_proj'],
        layers: null,
        use_rslora: false,
        init_from: null,
      },
      train: {
        learning_rate: 3e-4,
        batch_size: 4,
        gradient_accumulation_steps: 1,
        max_steps: null,
        max_tokens: null,
        num_epochs: 3,
        warmup_steps: null,
        warmup_ratio: 0.1,
        lr_scheduler: 'cosine',
        weight_decay: 0,
        adam_beta1: 0.9,
        adam_beta2: 0.999,
        adam_epsilon: 1e-8,
        max_grad_norm: 1,
        eval_steps: 100,
        save_steps: 100,
        logging_steps: 1,
        early_stopping_patience: null,
        sample_prompts: 3,
        seed: 1337,
      },
      engine: {
        kind: 'onnx',
        device: 'auto',
        cpu_fallback: true,
        base_dtype: 'auto',
        threads: null,
        gradient_checkpointing: 'auto',
        layer_streaming: 'auto',
        memory_check: 'refuse',
      },
    },
  });
});

test('the input is not changed by filling in defaults', () => {
  const input = { model: 'm', data: { path: 'd' } };
  validateRunConfig(input);
  expect(input).toEqual({ model: 'm', data: { path: 'd' } });
});

describe('an unknown key names the nearest setting', () => {
  test.each([
    ['lora', 'rnak', 'lora.rnak is not a known setting; did you mean lora.r (rank)?'],
    ['lora', 'lora_alpha', 'lora.lora_alpha is not a known setting; did you mean lora.alpha?'],
    ['train', 'learningRate', 'train.learningRate is not a known setting; did you mean train.learning_rate?'],
    ['train', 'epochs', 'train.epochs is not a known setting; did you mean train.num_epochs (epochs)?'],
    ['data', 'max_lenght', 'data.max_lenght is not a known setting; did you mean data.max_seq_length (maximum length)?'],
    ['lora', 'learning_rate', 'lora.learning_rate is not a known setting; did you mean train.learning_rate?'],
    [
      'engine',
      'zzzzzz',
      'engine.zzzzzz is not a known setting; engine knows kind, device, cpu_fallback, base_dtype, threads, gradient_checkpointing, layer_streaming, memory_check',
    ],
  ])('%s.%s', (section, key, message) => {
    expect(problems(withSetting(section, key, 1))).toEqual([message]);
  });

  test('at the top', () => {
    expect(problems({ ...smallest, trian: {} })).toEqual(['trian is not a known setting; did you mean train (training)?']);
  });
});

describe('each defect is one clear message', () => {
  test.each([
    ['train', 'learning_rate', 0, 'train.learning_rate must be more than 0, not 0'],
    ['train', 'learning_rate', '3e-4', 'train.learning_rate must be a number, not "3e-4"'],
    ['train', 'max_steps', 1.5, 'train.max_steps must be a whole number or null, not 1.5'],
    ['train', 'adam_beta2', 1, 'train.adam_beta2 must be less than 1, not 1'],
    ['lora', 'r', 0, 'lora.r must be at least 1, not 0'],
    ['lora', 'dropout', 1, 'lora.dropout must be at most 0.9, not 1'],
    ['lora', 'target_modules', [], 'lora.target_modules must not be empty, not []'],
    ['lora', 'target_modules', ['q_proj', 'q_proj'], 'lora.target_modules must not list anything twice, not ["q_proj","q_proj"]'],
    [
      'lora',
      'target_modules',
      ['lm_head'],
      'lora.target_modules.0 must be one of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, not "lm_head"',
    ],
    ['data', 'shuffle', 'yes', 'data.shuffle must be true or false, not "yes"'],
    ['engine', 'device', 'cuda', 'engine.device must be one of auto, cpu, webgpu, not "cuda"'],
  ])('%s.%s = %j', (section, key, value, message) => {
    expect(problems(withSetting(section, key, value))).toEqual([message]);
  });

  test('what is missing is said with what it is for', () => {
    expect(problems({ data: { path: 'd' } })[0]).toMatch(/^model is missing: The model to fine-tune/);
    expect(problems({ model: 'm', data: {} })[0]).toMatch(/^data\.path is missing: A data file/);
  });

  test('something that is no object', () => {
    expect(problems([])).toEqual(['the run config must be an object { … }, not []']);
  });
});

test('every setting is described and every optional one has a default', () => {
  const settings = Object.entries(runConfigSchema.properties!).flatMap(([name, schema]) => leaves(name, schema));
  for (const [name, schema] of settings) {
    expect(schema.description, name).toBeTruthy();
    if (!['model', 'data.path', '$schema'].includes(name)) expect(schema, name).toHaveProperty('default');
  }
});

test.each(presets)('preset $id is valid', ({ settings }) => {
  const result = validateRunConfig({ model: 'm', ...settings, data: { path: 'd', ...settings.data } });
  expect(result).toMatchObject({ ok: true });
});

function leaves(name: string, schema: SettingSchema): [string, SettingSchema][] {
  if (!schema.properties) return [[name, schema]];
  return Object.entries(schema.properties).flatMap(([key, child]) => leaves(`${name}.${key}`, child));
}
