/** @file The command lines that use an export. */
import { join } from 'node:path';
import type { ExportTarget, ExportUse } from '../protocol/export.js';
import type { ExportContext } from './exportContext.js';
import { modelfilePath } from './modelfile.js';

/** Values that vLLM takes for --max-lora-rank. */
const vllmRanks = [8, 16, 32, 64, 128, 256, 320, 512];

/** `folder` contains the export. */
export function usesOf(target: ExportTarget, folder: string, { model, adapter, name }: ExportContext): ExportUse[] {
  const gguf = join(folder, `${name}.gguf`);
  switch (target) {
    case 'merged':
      return [{ tool: 'vLLM', command: `vllm serve ${quoted(join(folder, name))}` }];
    case 'gguf':
      return [
        { tool: 'llama.cpp', command: `llama-server -m ${quoted(gguf)}` },
        { tool: 'Ollama', command: `ollama create ${quoted(name)} -f ${quoted(modelfilePath(gguf))}` },
      ];
    case 'gguf-lora': {
      const base = model.tokenizerSource.kind === 'gguf' ? quoted(model.path) : 'BASE.gguf';
      return [{ tool: 'llama.cpp', command: `llama-server -m ${base} --lora ${quoted(gguf)}` }];
    }
    case 'peft': {
      const rank = adapter!.lora.r;
      const limit = vllmRanks.find((each) => each >= rank) ?? rank;
      const modules = quoted(`${name}=${join(folder, name)}`);
      const command = `vllm serve ${quoted(model.path)} --enable-lora --max-lora-rank ${limit} --lora-modules ${modules}`;
      return [{ tool: 'vLLM', command }];
    }
  }
}

/** For a shell, where it is necessary. */
function quoted(text: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(text) ? text : `"${text.replace(/(["$`])/g, '\\$1')}"`;
}
