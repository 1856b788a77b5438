/** The English texts of the leak report, as in webviewStrings.ts. */
export const leakReportPhrases = {
  'leaks.title': 'Leak report',
  'leaks.gone': 'Which run was shown here is not known any more. Run Probe for Verbatim Training Text again.',
  'leaks.none': 'No verbatim training text was found at {0} prefixes.',
  'leaks.onlyBase': 'Nothing that the base does not write, too, was found at {0} prefixes.',
  'leaks.found': '{0} of {1} prefixes are continued word for word, for {2} tokens or more, where the base does not.',
  'leaks.found.one': '{0} of {1} prefixes is continued word for word, for {2} tokens or more, where the base does not.',
  'leaks.rate': 'Given away',
  'leaks.rate.value': '{0} (95 % interval {1} to {2})',
  'leaks.probed': 'Probed',
  'leaks.probed.value': '{0} of {1} places',
  'leaks.reproduced': 'Written word for word',
  'leaks.byBase': 'Of these also by the base',
  'leaks.how':
    'At each place, the model was shown {0} tokens of the training text and wrote on, always with the likeliest token (seed {1}, {2}). Other prompts, and words that are nearly the same, can give away more.',
  'leaks.cases': 'What it gives away',
  'leaks.tokens': '{0} tokens',
  'leaks.case': 'Shown, and marked what the adapter went on with',
  'leaks.case.base': '{0} tokens in a row are those of the training text. The base differs after {1}.',
  'leaks.open': 'Show in File',
} as const;
