// Another extension, as users have them: finds the adapters through VS Code's own language model API and asks each of them.
import * as vscode from 'vscode';

const question = 'def add(left: int, right: int) -> int:';

export function activate(context) {
  context.subscriptions.push(vscode.commands.registerCommand('askModels.ask', askModels));
}

async function askModels() {
  const models = await vscode.lm.selectChatModels({ vendor: 'lora-workbench' });
  const answers = await Promise.all(models.map(ask));
  await vscode.window.showInformationMessage(`${models.length} models. ${answers.join(' ')}`, { modal: true });
}

async function ask(model) {
  const response = await model.sendRequest([vscode.LanguageModelChatMessage.User(question)]);
  let text = '';
  for await (const piece of response.text) text += piece;
  return `${model.name} on ${model.family}: ${JSON.stringify(text)}, ${await model.countTokens(question)} tokens asked.`;
}
