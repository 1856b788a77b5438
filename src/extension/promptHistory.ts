import type * as vscode from 'vscode';

const memoryKey = 'playground.history';
const maxPrompts = 50;

/** Prompts that were run in this workspace, newest first. */
export class PromptHistory {
  constructor(private readonly memory: vscode.Memento) {}

  list(): readonly string[] {
    return this.memory.get<readonly string[]>(memoryKey, []);
  }

  async add(prompt: string): Promise<void> {
    const others = this.list().filter((earlier) => earlier !== prompt);
    await this.memory.update(memoryKey, [prompt, ...others].slice(0, maxPrompts));
  }

  async clear(): Promise<void> {
    await this.memory.update(memoryKey, undefined);
  }
}
