import * as vscode from 'vscode';
import { chatVendor, commandId, chatParticipantId } from './contributions.js';

/** Registers `@adapter` in VS Code's chat. Questions without it go to GitHub Copilot, which requires users to sign in first. */
export function registerChatParticipant(): vscode.Disposable {
  return vscode.chat.createChatParticipant(chatParticipantId, async (request, { history }, stream, token) => {
    const model = await adapterFor(request.model);
    if (!model) {
      stream.markdown(vscode.l10n.t('There is no adapter to chat with yet. Fine-tuning a model creates one.'));
      stream.button({ command: commandId('fineTune'), title: vscode.l10n.t('Fine-Tune') });
      return;
    }
    if (model.id !== request.model.id) stream.progress(vscode.l10n.t('{0} is answering', model.name));
    const messages = [...history.map(said), vscode.LanguageModelChatMessage.User(request.prompt)];
    const response = await model.sendRequest(messages, {}, token);
    for await (const text of response.text) stream.markdown(text);
  });
}

/** The adapter that is chosen in the chat or, if another model is chosen, the first adapter. */
async function adapterFor(chosen: vscode.LanguageModelChat): Promise<vscode.LanguageModelChat | undefined> {
  if (chosen.vendor === chatVendor) return chosen;
  const [first] = await vscode.lm.selectChatModels({ vendor: chatVendor });
  return first;
}

function said(turn: vscode.ChatRequestTurn | vscode.ChatResponseTurn): vscode.LanguageModelChatMessage {
  if (turn instanceof vscode.ChatRequestTurn) return vscode.LanguageModelChatMessage.User(turn.prompt);
  const texts = turn.response.map((part) => (part instanceof vscode.ChatResponseMarkdownPart ? part.value.value : ''));
  return vscode.LanguageModelChatMessage.Assistant(texts.join(''));
}
