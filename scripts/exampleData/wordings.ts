/**
 * @file How people say what they want of a run; what they say for `heldOut` is never trained on. {n} is a number, in digits or as
 * a word, and (s) or (es) follows a noun unless that number is one; {x} is a learning rate; {f} is a multiple of the usual one.
 * “one time” becomes “once”, and “two times” becomes “twice”.
 */

export interface Wordings {
  /** Noun phrases, which follow a verb such as “use” or stand alone. */
  readonly things: readonly string[];
  /** Whole requests, beginning with a verb. */
  readonly orders: readonly string[];
}

export type Side = 'training' | 'heldOut';
export type Wording = Readonly<Record<Side, Wordings>>;

export const rank: Wording = {
  training: {
    things: [
      'rank {n}',
      'a rank of {n}',
      'LoRA rank {n}',
      'r = {n}',
      'r={n}',
      'r {n}',
      '{n} as the rank',
      '{n} for r',
      'matrices of rank {n}',
      'an adapter of rank {n}',
      'a rank-{n} adapter',
      'a rank equal to {n}',
      'low-rank matrices of rank {n}',
      'an r of {n}',
    ],
    orders: [
      'set the rank to {n}',
      'set r to {n}',
      'make the adapter rank {n}',
      'keep the rank at {n}',
      'give the adapter a rank of {n}',
      'fix the rank at {n}',
      'build the adapter with r = {n}',
      'let r be {n}',
    ],
  },
  heldOut: {
    things: ['a LoRA rank of {n}', 'adapter rank {n}', '{n} for the rank', 'a LoRA adapter of rank {n}'],
    orders: ['put the rank at {n}', 'choose rank {n}', 'give A and B a rank of {n}'],
  },
};

export const epochs: Wording = {
  training: {
    things: [
      '{n} epoch(s)',
      '{n} pass(es) over the data',
      '{n} full pass(es)',
      '{n} round(s) through the examples',
      '{n} round(s) of training',
      'a run of {n} epoch(s)',
      '{n} pass(es) through the file',
      '{n} complete round(s)',
      'a total of {n} epoch(s)',
      '{n} full round(s) over the data',
      '{n} pass(es) in all',
    ],
    orders: [
      'train for {n} epoch(s)',
      'go over the data {n} time(s)',
      'stop after {n} epoch(s)',
      'read the data {n} time(s)',
      'show it every example {n} time(s)',
      'run {n} epoch(s)',
      'do {n} epoch(s)',
      'make {n} pass(es) over the data set',
      'repeat the data {n} time(s)',
      'end the run after {n} epoch(s)',
      'see each row {n} time(s)',
    ],
  },
  heldOut: {
    things: ['{n} epoch(s) of training', '{n} sweep(s) over the data', '{n} complete pass(es)'],
    orders: [
      'finish after {n} epoch(s)',
      'go through all examples {n} time(s)',
      'read the whole data set {n} time(s)',
      'let it run for {n} epoch(s)',
    ],
  },
};

export const batchSize: Wording = {
  training: {
    things: [
      'batch size {n}',
      'a batch size of {n}',
      'batches of {n}',
      '{n} sequence(s) per batch',
      '{n} row(s) per batch',
      '{n} example(s) in a batch',
      'a batch of {n}',
      'micro-batches of {n}',
      'batch size = {n}',
      'mini-batches of size {n}',
      '{n} row(s) in every batch',
      '{n} example(s) to a batch',
      'batches made of {n} row(s)',
      'a batch with {n} row(s)',
    ],
    orders: [
      'set the batch size to {n}',
      'put {n} row(s) into each batch',
      'make the batches {n} row(s) large',
      'feed it {n} sequence(s) at a time',
      'take {n} example(s) at once',
      'keep batches at {n}',
      'fill each batch with {n} row(s)',
      'work in batches of {n}',
      'group {n} row(s) into a batch',
      'have {n} example(s) in each batch',
      'batch {n} example(s)',
    ],
  },
  heldOut: {
    things: ['{n} example(s) per batch', 'batches holding {n} row(s)', 'batches with {n} sequence(s)', 'batches of size {n}'],
    orders: ['let each batch hold {n} example(s)', 'keep the batch size at {n}', 'batch {n} row(s) together'],
  },
};

export const length: Wording = {
  training: {
    things: [
      'at most {n} tokens',
      '{n} tokens at most',
      'a maximum length of {n}',
      'sequences of up to {n} tokens',
      'max length {n}',
      'rows cut at {n} tokens',
      'a length limit of {n} tokens',
      'a sequence length of {n}',
      'a context of {n} tokens',
      'no more than {n} tokens per row',
      '{n} tokens per sequence',
    ],
    orders: [
      'cut sequences at {n} tokens',
      'limit the length to {n} tokens',
      'cut everything after {n} tokens',
      'truncate rows to {n} tokens',
      'allow {n} tokens per sequence',
      'set the maximum length to {n}',
      'keep rows within {n} tokens',
      'let no row be longer than {n} tokens',
    ],
  },
  heldOut: {
    things: ['a limit of {n} tokens', 'rows of at most {n} tokens', 'a maximum of {n} tokens', 'up to {n} tokens per example'],
    orders: ['cut long rows at {n} tokens', 'keep sequences to {n} tokens', 'stop each sequence at {n} tokens'],
  },
};

export const rate: Wording = {
  training: {
    things: [
      'learning rate {x}',
      'a learning rate of {x}',
      'lr {x}',
      'lr={x}',
      'lr = {x}',
      'a rate of {x}',
      '{x} as the learning rate',
      'a learning rate equal to {x}',
      'a peak rate of {x}',
      'AdamW at {x}',
    ],
    orders: [
      'set the learning rate to {x}',
      'set lr to {x}',
      'learn at a rate of {x}',
      'start from a learning rate of {x}',
      'keep the rate at {x}',
      'let the learning rate be {x}',
      'begin with lr {x}',
    ],
  },
  heldOut: {
    things: ['a learning rate fixed at {x}', '{x} for the learning rate', 'an lr of {x}'],
    orders: ['put the learning rate at {x}', 'train at a learning rate of {x}'],
  },
};

export const relativeRate: Wording = {
  training: {
    things: [
      '{f} the usual rate',
      '{f} the usual learning rate',
      '{f} the default learning rate',
      '{f} the default rate',
      '{f} the normal learning rate',
      '{f} the standard rate',
      'a rate {f} the usual one',
      'a learning rate {f} the default',
    ],
    orders: [
      'learn at {f} the usual rate',
      'train at {f} the normal rate',
      'set the learning rate to {f} the default',
      'make the learning rate {f} the usual one',
      'set lr to {f} the default',
    ],
  },
  heldOut: {
    things: ['{f} the standard learning rate', '{f} the normal rate'],
    orders: ['choose {f} the ordinary learning rate', 'put the learning rate at {f} the default'],
  },
};

/** Phrases with “on” continue the one before: “rank 8 on the MLP only”. */
export const attention: Wording = {
  training: {
    things: [
      'only the attention',
      'attention only',
      'just the attention layers',
      'adapters on the attention',
      'LoRA on attention only',
      'the attention matrices only',
      'the four attention projections',
      'nothing but attention',
      'on the attention only',
      'on attention',
    ],
    orders: [
      'train only the attention',
      'adapt just the attention',
      'target the attention layers',
      'put adapters on the attention only',
      'leave everything but the attention frozen',
    ],
  },
  heldOut: {
    things: ['the attention alone', 'attention layers only', 'on the attention matrices'],
    orders: ['adapt the attention and nothing else', 'target only attention'],
  },
};

export const mlp: Wording = {
  training: {
    things: [
      'only the MLP',
      'MLP only',
      'just the MLP layers',
      'adapters on the MLP',
      'LoRA on the feed-forward layers only',
      'the MLP matrices only',
      'the three MLP projections',
      'nothing but the feed-forward part',
      'on the MLP',
      'on the feed-forward layers',
    ],
    orders: [
      'train only the MLP',
      'adapt just the feed-forward layers',
      'target the MLP layers',
      'put adapters on the MLP only',
      'leave everything but the MLP frozen',
    ],
  },
  heldOut: {
    things: ['the MLP alone', 'feed-forward layers only', 'on the MLP only'],
    orders: ['adapt the MLP and nothing else', 'target only the feed-forward layers'],
  },
};

export const queriesAndValues: Wording = {
  training: {
    things: [
      'only queries and values',
      'queries and values only',
      'q and v only',
      'just the query and value projections',
      'LoRA on q_proj and v_proj',
      'on queries and values',
    ],
    orders: ['train only queries and values', 'adapt just q and v', 'target the query and value projections'],
  },
  heldOut: {
    things: ['just queries and values', 'on q and v'],
    orders: ['target q and v only', 'adapt the queries and the values'],
  },
};

/** What may come before the first thing. */
export const verbs = {
  training: ['use', 'train with', 'take', 'please use', 'start with', 'set up a run with', 'work with', 'give me'],
  heldOut: ['try', 'go with', 'run with', 'please take'],
};
