/** @file A model card as the hub reads it (https://huggingface.co/docs/hub/model-cards). In English, because it gets published. */
import { loraScaling } from '../../core/adapters/lora.js';
import type { RunConfig } from '../../protocol/runConfig.js';
import { loraShape } from '../derivedSettings.js';
import type { LossPoint } from '../lossCurve.js';
import { cardMarker, code, frontMatter, link, plain, table, useAdapter, type CardBase, type CardSource } from './cardParts.js';

/** What is known about an adapter. All of it comes from its run directory, so that the same run gives the same card. */
export interface CardFacts {
  /** The adapter alone, or merged into its base. */
  readonly form: 'peft' | 'merged';
  readonly name: string;
  /** The user's note about the run. */
  readonly note: string;
  readonly config: RunConfig;
  readonly base: CardBase;
  readonly data: CardSource;
  readonly step: number;
  /** Tokens seen in training, up to the last logged step. */
  readonly tokens: number;
  readonly heldOut: { readonly before: LossPoint; readonly after: LossPoint } | null;
  /** The file of the loss curve next to the card; null if there is none. */
  readonly picture: string | null;
}

export function modelCard(facts: CardFacts): string {
  const sections = [
    frontMatter(facts.form, facts.base, [facts.data]),
    cardMarker,
    `# ${plain(facts.name)}`,
    `${facts.form === 'peft' ? 'A LoRA adapter for' : 'A fine-tuned'} ${link(facts.base)}, trained with [LoRA Workbench](https://github.com/lora-workbench/lora-workbench).`,
    ...(facts.note.trim() ? [facts.note.trim()] : []),
    ...evaluation(facts),
    ...data(facts),
    ...settings(facts),
    ...use(facts),
  ];
  return `${sections.join('\n\n')}\n`;
}

function evaluation({ form, heldOut, picture, step, tokens }: CardFacts): string[] {
  const curve = picture === null ? [] : [`![Loss by step](${picture})`];
  const learned = `${step} steps, ${tokens.toLocaleString('en-US')} tokens.`;
  if (heldOut === null) return ['## Evaluation', `Nothing was held out. Trained for ${learned}`, ...curve];
  const row = (what: string, { loss }: LossPoint) => `| ${what} | ${loss.toFixed(4)} | ${Math.exp(loss).toFixed(2)} |`;
  const table = [
    '| On held-out examples | Loss | Perplexity |',
    '| --- | ---: | ---: |',
    row('Base model', heldOut.before),
    row(`${form === 'peft' ? 'Adapter' : 'Fine-tuned'}, after step ${heldOut.after.step}`, heldOut.after),
  ].join('\n');
  return ['## Evaluation', table, `The run took ${learned}`, ...curve];
}

function data({ data, config }: CardFacts): string[] {
  const { format, eval_path, eval_fraction, max_seq_length, packing, train_on_prompt } = config.data;
  const percent = Number((100 * eval_fraction).toPrecision(3));
  const heldOut = eval_path === null ? `${percent} % of the examples` : 'a file of its own';
  return [
    '## Data',
    table([
      ['Data', link(data)],
      ['Format', format],
      ['Held out', heldOut],
      ['Longest example', `${max_seq_length} tokens${packing ? ', packed' : ''}`],
      ['Learned from', train_on_prompt ? 'prompts and answers' : 'answers only'],
    ]),
  ];
}

function settings({ config }: CardFacts): string[] {
  const { lora, train, engine } = config;
  const scale = Number(loraScaling(loraShape(lora)).toPrecision(4));
  return [
    '## Settings',
    table([
      ['Rank', String(lora.r)],
      ['Alpha', `${lora.alpha}${lora.use_rslora ? ', rank-stabilised' : ''}: the scale is ${scale}`],
      ['Target modules', lora.target_modules.join(', ')],
      ['Layers', lora.layers === null ? 'all' : lora.layers.join(', ')],
      ['LoRA dropout', String(lora.dropout)],
      ['Learning rate', `${train.learning_rate}, ${train.lr_scheduler}`],
      ['Batch', `${train.batch_size} × ${train.gradient_accumulation_steps} sequences`],
      ['Weight decay', String(train.weight_decay)],
      ['Precision of the base', engine.base_dtype],
      ['Seed', String(train.seed)],
    ]),
  ];
}

function use(facts: CardFacts): string[] {
  const ways = facts.form === 'peft' ? useAdapter(facts.base, facts.config.lora.r) : useMerged();
  return ['## How to use', ...promptNote(facts.config), 'Below, `FOLDER` is the folder of this file.', ...ways];
}

function useMerged(): string[] {
  return [
    'transformers:',
    code('python', [
      'from transformers import AutoModelForCausalLM, AutoTokenizer',
      '',
      'tokenizer = AutoTokenizer.from_pretrained("FOLDER")',
      'model = AutoModelForCausalLM.from_pretrained("FOLDER")',
    ]),
    'vLLM:',
    code('sh', ['vllm serve FOLDER']),
    'llama.cpp:',
    code('sh', ['lora-workbench convert FOLDER --to gguf --dtype q8_0 --out model.gguf', 'llama-server --model model.gguf']),
    'LoRA Workbench:',
    code('sh', ['lora-workbench generate --model FOLDER --prompt "…"']),
  ];
}

function promptNote({ data: { format } }: RunConfig): string[] {
  if (format === 'alpaca') return ["It was trained on prompts in Alpaca's format (`### Instruction:` … `### Response:`)."];
  if (format === 'chat') return ["It was trained on conversations in the base model's chat template."];
  return [];
}
