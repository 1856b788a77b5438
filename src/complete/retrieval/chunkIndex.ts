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

/** Chunks of source files, found by the words that they share with a query. */
export class ChunkIndex {
  private readonly words = new MiniSearch<Chunk>({ fields: ['text'], tokenize: codeTerms, processTerm: (term) => term });
  private readonly chunks = new Map<number, Chunk>();
  private readonly ofFiles = new Map<string, readonly Chunk[]>();
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
  }

  remove(path: string): void {
    const chunks = this.ofFiles.get(path) ?? [];
    this.words.removeAll([...chunks]);
    for (const { id } of chunks) this.chunks.delete(id);
    this.ofFiles.delete(path);
  }

  /** The chunks that share words with the query, the most similar first, without those of the file at `exceptPath`. */
  find(query: string, exceptPath: string): readonly Chunk[] {
    const found = this.words.search(query, { tokenize: distinctTerms, bm25 });
    return (
      found
        // The library multiplies the score of BM25 by the number of words that were found.
        .map(({ id, score, queryTerms }) => ({ chunk: this.chunks.get(id as number)!, score: score / queryTerms.length }))
        .filter(({ chunk }) => chunk.path !== exceptPath)
        .sort((one, other) => other.score - one.score || one.chunk.id - other.chunk.id)
        .map(({ chunk }) => chunk)
    );
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

function distinctTerms(query: string): string[] {
  return [...new Set(codeTerms(query))];
}
