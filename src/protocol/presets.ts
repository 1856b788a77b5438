import type { DataConfig, LoraConfig, TrainConfig } from './runConfig.js';
import type { ConfigEdit } from './views/fineTune.js';

/** Named starting points for a run: settings laid over the defaults. */
export interface Preset {
  readonly id: 'quick-look' | 'alpaca' | 'code-completion';
  readonly title: string;
  readonly description: string;
  readonly settings: {
    readonly data: Partial<DataConfig>;
    readonly lora: Partial<LoraConfig>;
    readonly train: Partial<TrainConfig>;
  };
}

const allLinears = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];

export const presets: readonly Preset[] = [
  {
    id: 'quick-look',
    title: 'Quick look',
    description: 'Sixty short steps: minutes, to see whether model and data fit together.',
    settings: {
      data: { max_seq_length: 128 },
      lora: { r: 8, alpha: 16, dropout: 0, target_modules: allLinears },
      train: { max_steps: 60, batch_size: 2, learning_rate: 5e-4, warmup_ratio: 0.1, eval_steps: 20, save_steps: 20 },
    },
  },
  {
    // The hyperparameters of lit-llama's finetune_lora.py, the usual reference for Alpaca data. The warm-up is Stanford Alpaca's,
    // a share of the steps, since a run on small data may have fewer than lit-llama's hundred warm-up steps.
    id: 'alpaca',
    title: 'Instructions (Alpaca)',
    description: 'The reference settings of lit-llama for instruction data: effective batch 128, length 256.',
    settings: {
      data: { format: 'alpaca', max_seq_length: 256, train_on_prompt: false },
      lora: { r: 8, alpha: 16, dropout: 0.05, target_modules: ['q_proj', 'v_proj'] },
      train: {
        learning_rate: 3e-4,
        batch_size: 4,
        gradient_accumulation_steps: 32,
        num_epochs: 3,
        warmup_ratio: 0.03,
        weight_decay: 0,
      },
    },
  },
  {
    // Rate and effective batch as in docs/decisions/0027; 200,000 tokens are a quarter of an hour for SmolLM2-135M on two cores.
    id: 'code-completion',
    title: 'Code completion',
    description: 'Learn how a workspace is written, for ghost text: fill-in-the-middle, packed, the newest files held out.',
    settings: {
      data: {
        format: 'code',
        max_tokens: 200_000,
        max_seq_length: 512,
        packing: true,
        eval_split: 'newest',
        eval_fraction: 0.1,
        fim_spm_rate: 0.5,
      },
      lora: { r: 16, alpha: 32, dropout: 0, target_modules: allLinears },
      train: { learning_rate: 8e-4, batch_size: 2, num_epochs: 3, max_tokens: 200_000, warmup_ratio: 0.05 },
    },
  },
];

/** The edits that apply a preset: its settings, and a return to the default for those that another preset may have changed. */
export function presetEdits(preset: Preset): ConfigEdit[] {
  const chosen = settingsOf(preset);
  const names = new Set(chosen.map(({ path }) => path.join('.')));
  const others = presets.filter((other) => other !== preset).flatMap(settingsOf);
  return [...others.filter(({ path }) => !names.has(path.join('.'))).map(({ path }) => ({ path })), ...chosen];
}

function settingsOf({ settings }: Preset): ConfigEdit[] {
  return Object.entries(settings).flatMap(([section, values]) =>
    Object.entries(values).map(([key, value]) => ({ path: [section, key], value })),
  );
}
