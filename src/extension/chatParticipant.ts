import * as vscode from 'vscode';
import { chatVendor, commandId, chatParticipantId } from './contributions.js';

/** Registers `@adapter` in VS Code's chat. Questions without it go to GitHub Copilot, which requires users to sign in first. */
export function registerChatParticipant(): vscode.Disposable {
  return vscode.chat.createChatParticipant(chatParticipantId, async (request, { history }, stream, token) => {
    if (!vscode.workspace.isTrusted) {
      stream.markdown(vscode.l10n.t('This workspace is not trusted, so nothing is loaded or trained here.'));
      return;
    }
    const model = await adapterFor(request.model);
    if (!model) {
      stream.markdown(
        vscode.l10n.t('There is no adapter to chat with whose base model is on this machine. Fine-tuning a model creates one.'),
      );
      stream.button({ command: commandId('fineTune'), title: vscode.l10n.t('Fine-Tune') });
      return;
    }
    if (model.id !== request.model.id) stream.progress(vscode.l10n.t('{0} is answering', model.name));
    const messages = [...history.map(said), vscode.LanguageModelChatMessage.User(request.prompt)];
    const response = await model.sendRequest(await lastThatFit(messages, model), {}, token);
    for await (const text of response.text) stream.markdown(text);
  });
}

/** The adapter that is chosen in the chat or, if another model is chosen, the first adapter. */
async function adapterFor(chosen: vscode.LanguageModelChat): Promise<vscode.LanguageModelChat | undefined> {
  if (chosen.vendor === chatVendor) return chosen;
  const [first] = await vscode.lm.selectChatModels({ vendor: chatVendor });
  return first;
}

/** The last messages that the model can read at once, so that a long chat forgets its beginning instead of failing. */
async function lastThatFit(
  messages: readonly vscode.LanguageModelChatMessage[],
  model: vscode.LanguageModelChat,
): Promise<vscode.LanguageModelChatMessage[]> {
  const counts = await Promise.all(messages.map((message) => model.countTokens(message)));
  let first = messages.length - 1;
  let tokens = counts[first]!;
  while (first > 0 && tokens + counts[first - 1]! <= model.maxInputTokens) tokens += counts[--first]!;
  // A conversation begins with a question.
  while (first < messages.length - 1 && messages[first]!.role !== vscode.LanguageModelChatMessageRole.User) first++;
  return messages.slice(first);
}

function said(turn: vscode.ChatRequestTurn | vscode.ChatResponseTurn): vscode.LanguageModelChatMessage {
  if (turn instanceof vscode.ChatRequestTurn) return vscode.LanguageModelChatMessage.User(turn.prompt);
  const texts = turn.response.map((part) => (part instanceof vscode.ChatResponseMarkdownPart ? part.value.value : ''));
  return vscode.LanguageModelChatMessage.Assistant(texts.join(''));
}
