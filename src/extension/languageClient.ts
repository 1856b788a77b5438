/** @file Bundled separately (scripts/build.mjs) and loaded when the backend first starts. */
export { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn, State } from 'vscode-languageclient/node';
