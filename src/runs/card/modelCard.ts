/** @file A model card as the hub reads it (https://huggingface.co/docs/hub/model-cards). In English, because it gets published. */
import { loraScaling } from '../../core/adapters/lora.js';
import type { RunConfig } from '../../protocol/runConfig.js';
import { loraShape } from '../derivedSettings.js';
import type { LossPoint } from '../lossCurve.js';

/** What is known about an adapter. All of it comes from its run directory, so that the same run gives the same card. */
export interface CardFacts {
  /** The adapter alone, or merged into its base. */
  readonly form: 'peft' | 'merged';
  readonly name: string;
  /** The user's note about the run. */
  readonly note: string;
  readonly config: RunConfig;
  readonly base: CardSource & { readonly license: string | null };
  readonly data: CardSource;
  readonly step: number;
  /** Tokens seen in training, up to the last logged step. */
  readonly tokens: number;
  readonly heldOut: { readonly before: LossPoint; readonly after: LossPoint } | null;
  /** The file of the loss curve next to the card; null if there is none. */
  readonly picture: string | null;
}

export interface CardSource {
  readonly name: string;
  /** OWNER/NAME; null if it is not known to be on the hub. */
  readonly hubName: string | null;
}

/** Without this line, a card is the user's own. */
export const cardMarker =
  '<!-- Written by LoRA Workbench and replaced with every export. Delete this line to keep your changes. -->';

export function modelCard(facts: CardFacts): string {
  const sections = [
    frontMatter(facts),
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

/** base_model and datasets are left to the user unless they are names on the hub, which refuses anything else. */
function frontMatter({ form, base, data }: CardFacts): string {
  return [
    '---',
    base.hubName === null ? `# base_model: OWNER/${base.name.replaceAll(/\s/g, ' ')}` : `base_model: ${base.hubName}`,
    `library_name: ${form === 'peft' ? 'peft' : 'transformers'}`,
    'pipeline_tag: text-generation',
    ...(base.license === null ? [] : [`license: ${base.license}`]),
    ...(data.hubName === null ? [] : ['datasets:', `  - ${data.hubName}`]),
    'tags:',
    '  - lora',
    '  - lora-workbench',
    '---',
  ].join('\n');
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
  const ways = facts.form === 'peft' ? useAdapter(facts) : useMerged();
  return ['## How to use', ...promptNote(facts.config), 'Below, `FOLDER` is the folder of this file.', ...ways];
}

function useAdapter({ base, config }: CardFacts): string[] {
  const model = base.hubName ?? base.name;
  const named = shellWord(model);
  const gguf = shellWord(`${base.name.replace(/\.gguf$/i, '')}.gguf`);
  return [
    'PEFT:',
    code('python', [
      'from peft import PeftModel',
      'from transformers import AutoModelForCausalLM, AutoTokenizer',
      '',
      `base = AutoModelForCausalLM.from_pretrained(${JSON.stringify(model)})`,
      `tokenizer = AutoTokenizer.from_pretrained(${JSON.stringify(model)})`,
      'model = PeftModel.from_pretrained(base, "FOLDER")',
    ]),
    'vLLM:',
    code('sh', [`vllm serve ${named} --enable-lora --max-lora-rank ${vllmRank(config.lora.r)} --lora-modules adapter=FOLDER`]),
    'llama.cpp, with the base as GGUF:',
    code('sh', [
      `lora-workbench export FOLDER --model ${named} --to gguf-lora --out adapter.gguf`,
      `llama-server --model ${gguf} --lora adapter.gguf`,
    ]),
    'LoRA Workbench:',
    code('sh', [`lora-workbench generate --model ${named} --adapter FOLDER --prompt "…"`]),
  ];
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

/** The ranks that vLLM accepts as its maximum. */
function vllmRank(r: number): number {
  return [8, 16, 32, 64, 128, 256, 320, 512].find((rank) => rank >= r) ?? r;
}

function link({ name, hubName }: CardSource): string {
  return hubName === null ? plain(name) : `[${hubName}](https://huggingface.co/${hubName})`;
}

/** A name of the user's, which must not act as markup. */
function plain(name: string): string {
  return name.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[\\`*_[\]<>|]/g, '\\$&');
}

function shellWord(name: string): string {
  return /^[\w./@:+-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  return ['| | |', '| --- | --- |', ...rows.map(([label, value]) => `| ${label} | ${value} |`)].join('\n');
}

function code(language: string, lines: readonly string[]): string {
  return [`\`\`\`${language}`, ...lines, '```'].join('\n');
}
