/** The phrases about runs that wait for their turn (webviewStrings.ts). */
export const queuePhrases = {
  'queue.now': 'It starts now.',
  'queue.after': 'It is trained after {0}.',
  'queue.afterMore': 'It is trained after {0} and {1} more runs.',
  'queue.afterOneMore': 'It is trained after {0} and one more run.',
  'queue.paused': '{0} is paused: resume or stop it, so that the queue goes on.',
  'queue.waiting': 'In the queue: {0}',
} as const;
