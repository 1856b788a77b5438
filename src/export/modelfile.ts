/** @file What Ollama needs beside a GGUF file (https://docs.ollama.com/modelfile). */
import { UserError } from '../core/errors.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import type { ExportContext } from './exportContext.js';

/** A layout of conversations: what it makes of a turn, what opens an answer, and both in Ollama's language. */
interface ChatLayout {
  readonly turn: (role: string, content: string) => string;
  readonly opening: string;
  readonly template: string;
}

const chatMl: ChatLayout = {
  turn: (role, content) => `<|im_start|>${role}\n${content}<|im_end|>\n`,
  opening: '<|im_start|>assistant\n',
  template: '{{ range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n',
};
const llama3: ChatLayout = {
  turn: (role, content) => `<|start_header_id|>${role}<|end_header_id|>\n\n${content}<|eot_id|>`,
  opening: '<|start_header_id|>assistant<|end_header_id|>\n\n',
  template:
    '{{ range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>\n\n{{ .Content }}<|eot_id|>{{ end }}<|start_header_id|>assistant<|end_header_id|>\n\n',
};
const gemma: ChatLayout = {
  turn: (role, content) => `<start_of_turn>${role === 'assistant' ? 'model' : role}\n${content}<end_of_turn>\n`,
  opening: '<start_of_turn>model\n',
  template:
    '{{ range .Messages }}<start_of_turn>{{ if eq .Role "assistant" }}model{{ else }}user{{ end }}\n{{ .Content }}<end_of_turn>\n{{ end }}<start_of_turn>model\n',
};
const layouts = [chatMl, llama3, gemma];

/** The Modelfile beside a GGUF file. */
export function modelfilePath(gguf: string): string {
  return gguf.replace(/(\.gguf)?$/, '.Modelfile');
}

/** Without a template that is known here, Ollama uses the one in the GGUF file. */
export function modelfile({ model, name }: Pick<ExportContext, 'model' | 'name'>): string {
  const { tokenizer, textProblem } = model;
  const lines = [`FROM ./${name}.gguf`];
  const layout = textProblem === null ? layoutOf(tokenizer) : null;
  if (layout) lines.push(`TEMPLATE """${layout.template}"""`);
  for (const id of tokenizer.stopIds) lines.push(`PARAMETER stop ${JSON.stringify(tokenizer.tokenText(id))}`);
  return `${lines.join('\n')}\n`;
}

const conversation = [
  { role: 'user', content: 'A' },
  { role: 'assistant', content: 'B' },
  { role: 'user', content: 'C' },
];

/** The layout that renders a conversation as the model's own template does, apart from what comes before its first turn. */
function layoutOf(tokenizer: Tokenizer): ChatLayout | null {
  const own = rendered(tokenizer);
  const expected = ({ turn, opening }: ChatLayout): string =>
    conversation.map(({ role, content }) => turn(role, content)).join('') + opening;
  return layouts.find((layout) => own?.endsWith(expected(layout))) ?? null;
}

function rendered(tokenizer: Tokenizer): string | null {
  if (!tokenizer.hasChatTemplate) return null;
  try {
    return tokenizer.applyChatTemplate(conversation, { addGenerationPrompt: true });
  } catch (error) {
    if (error instanceof UserError) return null; // a template that refuses such a conversation
    throw error;
  }
}
