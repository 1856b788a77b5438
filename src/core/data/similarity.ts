/**
 * @file How much of one text is in another. Near duplicates are texts whose sets of five consecutive words have a Jaccard
 * similarity of at least 0.7, as for StarCoder's training data (https://arxiv.org/abs/2305.06161, section 3.3). Candidates are found
 * with MinHash (https://doi.org/10.1109/SEQUEN.1997.666900) in bands, and then compared exactly, so none is a false alarm.
 */
import { Random } from '../random.js';

export const nearDuplicateWords = 5;
export const nearDuplicateSimilarity = 0.7;
/** Usual for finding test data in training data (GPT-3, https://arxiv.org/abs/2005.14165, appendix C). */
export const copiedWords = 13;
/** If training texts hold a larger share of a held-out text, it would be remembered rather than predicted. */
export const largestCopiedShare = 0.5;

/** The set of all runs of `length` words in a text, as sorted hashes; a shorter text is a single run. */
export function wordRuns(text: string, length: number): Uint32Array {
  const words = wordHashes(text);
  if (words.length === 0) return new Uint32Array(0);
  const runs = new Uint32Array(Math.max(1, words.length - length + 1));
  for (let start = 0; start < runs.length; start++) {
    let hash = 0;
    for (let at = start; at < Math.min(words.length, start + length); at++) hash = mixed(hash ^ words[at]!);
    runs[start] = hash;
  }
  runs.sort();
  return runs.filter((run, index) => index === 0 || run !== runs[index - 1]);
}

/** Words are runs of letters, digits and underscores; FNV-1a of each (https://datatracker.ietf.org/doc/html/rfc9923). */
function wordHashes(text: string): Uint32Array {
  const words: number[] = [];
  let hash = fnvOffset;
  for (let index = 0; index <= text.length; index++) {
    const code = index < text.length ? text.charCodeAt(index) : 0;
    if (isInWord(code)) hash = Math.imul(hash ^ code, fnvPrime);
    else if (hash !== fnvOffset) {
      words.push(hash);
      hash = fnvOffset;
    }
  }
  return Uint32Array.from(words);
}

const fnvOffset = 0x811c9dc5 | 0;
const fnvPrime = 0x01000193;

function isInWord(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 || code > 127;
}

/** The end of MurmurHash3: every bit of the input changes every bit of the result. */
function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** |a ∩ b| / |a ∪ b| of two sorted sets; 0 if both are empty. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  let shared = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) shared++;
    const step = a[i]! <= b[j]!;
    if (a[i]! >= b[j]!) j++;
    if (step) i++;
  }
  return shared / Math.max(1, a.length + b.length - shared);
}

/** Two sets with similarity s share a band with probability 1 − (1 − s⁴)²⁴: 0.998 at 0.7, and 0.18 at 0.3. */
const bands = 24;
const rows = 4;

export interface Similar<Name> {
  readonly name: Name;
  readonly similarity: number;
}

/** Remembers sets of word runs and finds the one most like another. */
export class NearDuplicates<Name> {
  private readonly known: { readonly name: Name; readonly runs: Uint32Array }[] = [];
  private readonly buckets = Array.from({ length: bands }, () => new Map<number, number[]>());

  /** The most similar known set, if it is similar enough; the first of several. */
  find(runs: Uint32Array): Similar<Name> | undefined {
    const candidates = new Set(this.bucketsOf(runs).flat());
    let best: Similar<Name> | undefined;
    for (const candidate of [...candidates].sort((a, b) => a - b)) {
      const { name, runs: others } = this.known[candidate]!;
      const similarity = jaccard(runs, others);
      if (similarity >= nearDuplicateSimilarity && similarity > (best?.similarity ?? 0)) best = { name, similarity };
    }
    return best;
  }

  add(name: Name, runs: Uint32Array): void {
    for (const bucket of this.bucketsOf(runs)) bucket.push(this.known.length);
    this.known.push({ name, runs });
  }

  private bucketsOf(runs: Uint32Array): number[][] {
    const smallest = signature(runs);
    return this.buckets.map((byHash, band) => {
      let hash = 0;
      for (let row = 0; row < rows; row++) hash = mixed(hash ^ smallest[band * rows + row]!);
      const bucket = byHash.get(hash) ?? [];
      byHash.set(hash, bucket);
      return bucket;
    });
  }
}

const random = new Random(0x4d48); // any fixed seed
const multipliers = Int32Array.from({ length: bands * rows }, () => random.uint32() | 1);
const offsets = Int32Array.from({ length: bands * rows }, () => random.uint32());

/** For each of several random orders of all hashes, the first hash that is in the set. */
function signature(runs: Uint32Array): Uint32Array {
  const smallest = new Uint32Array(bands * rows).fill(0xffffffff);
  for (const run of runs) {
    for (let order = 0; order < smallest.length; order++) {
      const place = (Math.imul(run, multipliers[order]!) + offsets[order]!) >>> 0;
      if (place < smallest[order]!) smallest[order] = place;
    }
  }
  return smallest;
}

/**
 * For each text, the share of its runs of thirteen words that are in one of the `sources`, and the index of the source with most of
 * them, or −1. The sources are needed one at a time.
 */
export function copiedShares(
  texts: readonly string[],
  sources: Iterable<string>,
): readonly { readonly share: number; readonly source: number }[] {
  const runsOf = texts.map((text) => wordRuns(text, copiedWords));
  const foundIn = new Map<number, number>();
  for (const runs of runsOf) for (const run of runs) foundIn.set(run, -1);
  let source = 0;
  for (const text of sources) {
    for (const run of wordRuns(text, copiedWords)) if (foundIn.get(run) === -1) foundIn.set(run, source);
    source++;
  }
  return runsOf.map((runs) => {
    const counts = new Map<number, number>();
    for (const run of runs) {
      const source = foundIn.get(run)!;
      if (source >= 0) counts.set(source, (counts.get(source) ?? 0) + 1);
    }
    const copied = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const [most] = [...counts].sort(([, a], [, b]) => b - a);
    return { share: copied / Math.max(1, runs.length), source: most?.[0] ?? -1 };
  });
}
