/** What the backend says in editors, in English; the extension sends them in the user's language when it starts the backend. */
export const backendStrings = {
  'lens.one': 'Fine-tune on this file (1 example)',
  'lens.many': 'Fine-tune on this file ({0} examples)',
  'hover.tokens': '{0} tokens',
  'example.skipped': 'This example would be skipped: {0}.',
  'example.cut': 'This example has {0} tokens; at data.max_seq_length {1} its last {2} are cut off.',
} as const;

export type BackendPhrase = keyof typeof backendStrings;
