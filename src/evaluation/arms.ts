import type { CursorContext } from '../complete/context.js';
import type { ChunkIndex } from '../complete/retrieval/chunkIndex.js';
import { queryAt, retrieve } from '../complete/retrieval/retrieve.js';
import type { ArmContext } from '../protocol/completionReport.js';
import type { Position } from './positions.js';

/** What a model is told at a position. */
type ContextBuilder = (position: Position) => CursorContext;

/** How an arm's prompt is made; whatever else the editor may tell a model one day is one more line here. */
export function contextBuilders(index: ChunkIndex): { readonly [Context in ArmContext]: ContextBuilder } {
  const cursor: ContextBuilder = ({ prefix, suffix, source: { file, repository } }) => {
    return { prefix, suffix, file, ...(repository && { repository }) };
  };
  return {
    cursor,
    retrieved: (position) => ({ ...cursor(position), others: retrieve(index, queryAt(position), position.source.path) }),
  };
}
