/** @file What all model cards consist of. */

export interface CardSource {
  readonly name: string;
  /** OWNER/NAME; null if it is not known to be on the hub. */
  readonly hubName: string | null;
}

/** A base model, with its licence as the hub names it. */
export interface CardBase extends CardSource {
  readonly license: string | null;
}

/** Without this line, a card is the user's own. */
export const cardMarker =
  '<!-- Written by LoRA Workbench and replaced with every export. Delete this line to keep your changes. -->';

/** base_model and datasets are left to the user unless they are names on the hub, which refuses anything else. */
export function frontMatter(form: 'peft' | 'merged', base: CardBase, data: readonly CardSource[]): string {
  const datasets = data.flatMap(({ hubName }) => hubName ?? []);
  return [
    '---',
    base.hubName === null ? `# base_model: OWNER/${base.name.replaceAll(/\s/g, ' ')}` : `base_model: ${base.hubName}`,
    `library_name: ${form === 'peft' ? 'peft' : 'transformers'}`,
    'pipeline_tag: text-generation',
    ...(base.license === null ? [] : [`license: ${base.license}`]),
    ...(datasets.length === 0 ? [] : ['datasets:', ...datasets.map((name) => `  - ${name}`)]),
    'tags:',
    '  - lora',
    '  - lora-workbench',
    '---',
  ].join('\n');
}

/** How other programs load the adapter that lies in `FOLDER`. */
export function useAdapter(base: CardSource, rank: number): string[] {
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
    code('sh', [`vllm serve ${named} --enable-lora --max-lora-rank ${vllmRank(rank)} --lora-modules adapter=FOLDER`]),
    'llama.cpp, with the base as GGUF:',
    code('sh', [
      `lora-workbench export FOLDER --model ${named} --to gguf-lora --out adapter.gguf`,
      `llama-server --model ${gguf} --lora adapter.gguf`,
    ]),
    'LoRA Workbench:',
    code('sh', [`lora-workbench generate --model ${named} --adapter FOLDER --prompt "…"`]),
  ];
}

/** The ranks that vLLM accepts as its maximum. */
function vllmRank(r: number): number {
  return [8, 16, 32, 64, 128, 256, 320, 512].find((rank) => rank >= r) ?? r;
}

export function link({ name, hubName }: CardSource): string {
  return hubName === null ? plain(name) : `[${hubName}](https://huggingface.co/${hubName})`;
}

/** A name of the user's, which must not act as markup. */
export function plain(name: string): string {
  return name.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[\\`*_[\]<>|]/g, '\\$&');
}

function shellWord(name: string): string {
  return /^[\w./@:+-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}

export function table(rows: readonly (readonly [string, string])[]): string {
  return ['| | |', '| --- | --- |', ...rows.map(([label, value]) => `| ${label} | ${value} |`)].join('\n');
}

export function code(language: string, lines: readonly string[]): string {
  return [`\`\`\`${language}`, ...lines, '```'].join('\n');
}
