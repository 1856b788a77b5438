/** @file Bundled by itself (scripts/build.mjs), for the backend's first start to load. */
export { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn, State } from 'vscode-languageclient/node';
