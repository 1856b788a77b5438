/** The English texts of the view of what became of suggestions, as in webviewStrings.ts. */
export const completionStatisticsPhrases = {
  'statistics.title': 'Completion statistics',
  'statistics.local': 'Counted on this machine, and kept here. No text is stored.',
  'statistics.counting': 'Count suggestions',
  'statistics.wipe': 'Wipe…',
  'statistics.none': 'Nothing was suggested yet.',
  'statistics.none.help':
    'Use an adapter for inline completion, and write. What is shown, accepted and still there later is counted here, for each adapter and the base.',
  'statistics.none.off': 'Nothing was counted, because counting is off.',
  'statistics.writers': 'All suggestions',
  'statistics.writer': 'Written by',
  'statistics.shown': 'Shown',
  'statistics.accepted': 'Accepted',
  'statistics.words': 'Accepted words',
  'statistics.kept': 'Still there after {0} s',
  'statistics.keptHelp':
    'Still there: the share of accepted characters that no edit has removed, whatever was typed between them. Changes of the Git branch are left out.',
  'statistics.notYet': 'not yet',
  'statistics.acceptedOf': '{0} of {1}; 95 % interval {2} to {3}',
  'statistics.running': 'A blind comparison is going on: {0} and {1} take turns.',
  'statistics.running.counts':
    'So far {0} suggestions of both were shown, and {1} of them accepted. The numbers of either would tell who writes, so they come when it is over.',
  'statistics.stop': 'Stop and Show',
  'statistics.comparison': 'Blind comparison: {0} and {1}',
  'statistics.comparison.begun': 'Begun {0}',
  'statistics.sure': 'You preferred {0}: with a probability of {1}, it is accepted more often.',
  'statistics.unsure': 'Not decided: with a probability of {1}, {0} is accepted more often.',
  'statistics.difference':
    'Its suggestions were accepted {0} percentage points more often (95 % interval {1} to {2}). Suggestions at one place are not independent, so this is no proof.',
  'statistics.one': 'Only one of the two has suggested something.',
  'statistics.share': 'Share of the suggestions that were accepted, with 95 % intervals',
  'statistics.use': 'Use {0}',
  'statistics.goOn': 'Go On Comparing',
} as const;
