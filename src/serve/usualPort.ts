/** Where llama.vscode looks for completions. */
export const usualPort = 8012;
