import MiniSearch from 'minisearch';
import { codeTerms } from './codeTerms.js';

export interface IndexedFile {
  /** Absolute. */
  readonly path: string;
  /** In its repository, with forward slashes, as the model is told. */
  readonly file: string;
  readonly text: string;
}

/** Some lines of a file. */
export interface Chunk extends IndexedFile {
  readonly id: number;
}

/** As in CrossCodeEval (https://arxiv.org/abs/2310.11248). */
const linesOfChunk = 10;

/** k₁ and b of Okapi BM25 as Lucene has them; d would be the δ of BM25+. A chunk is as long as it has different words. */
const bm25 = { k: 1.2, b: 0.75, d: 0 };

/**
 * Words in more chunks than this tell them apart little, and searching for them takes nearly all the time: without them, it stays
 * below some 20 ms however much code there is.
 */
const mostChunks = 500;

/** Chunks of source files, found by the words that they share with a query. */
export class ChunkIndex {
  private readonly words = new MiniSearch<Chunk>({ fields: ['text'], tokenize: codeTerms, processTerm: (term) => term });
  private readonly chunks = new Map<number, Chunk>();
  private readonly ofFiles = new Map<string, readonly Chunk[]>();
  /** In how many chunks each word is. */
  private readonly frequencies = new Map<string, number>();
  private nextId = 0;

  get isEmpty(): boolean {
    return this.chunks.size === 0;
  }

  /** Replaces what was added under the same path. */
  add({ path, file, text }: IndexedFile): void {
    this.remove(path);
    const chunks = piecesOf(text).map((piece) => ({ id: this.nextId++, path, file, text: piece }));
    this.ofFiles.set(path, chunks);
    for (const chunk of chunks) this.chunks.set(chunk.id, chunk);
    this.words.addAll(chunks);
    this.count(chunks, 1);
  }

  remove(path: string): void {
    const chunks = this.ofFiles.get(path) ?? [];
    this.words.removeAll([...chunks]);
    this.count(chunks, -1);
    for (const { id } of chunks) this.chunks.delete(id);
    this.ofFiles.delete(path);
  }

  /** The chunks that share words with the query, the most similar first, without those of the file at `exceptPath`. */
  find(query: string, exceptPath: string): readonly Chunk[] {
    const tellingTerms = (text: string) => distinctTerms(text).filter((term) => (this.frequencies.get(term) ?? 0) <= mostChunks);
    const found = this.words.search(query, { tokenize: tellingTerms, bm25 });
    return (
      found
        // The library multiplies the score of BM25 by the number of words that were found.
        .map(({ id, score, queryTerms }) => ({ chunk: this.chunks.get(id as number)!, score: score / queryTerms.length }))
        .filter(({ chunk }) => chunk.path !== exceptPath)
        .sort((one, other) => other.score - one.score || one.chunk.id - other.chunk.id)
        .map(({ chunk }) => chunk)
    );
  }

  private count(chunks: readonly Chunk[], change: 1 | -1): void {
    for (const term of chunks.flatMap(({ text }) => distinctTerms(text))) {
      const frequency = (this.frequencies.get(term) ?? 0) + change;
      if (frequency === 0) this.frequencies.delete(term);
      else this.frequencies.set(term, frequency);
    }
  }
}

function piecesOf(text: string): readonly string[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const pieces: string[] = [];
  for (let start = 0; start < lines.length; start += linesOfChunk) {
    const piece = lines.slice(start, start + linesOfChunk).join('\n');
    if (piece.trim() !== '') pieces.push(`${piece}\n`);
  }
  return pieces;
}

function distinctTerms(text: string): string[] {
  return [...new Set(codeTerms(text))];
}
