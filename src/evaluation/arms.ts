import type { CursorContext } from '../complete/context.js';
import type { ArmContext } from '../protocol/completionReport.js';
import type { Position } from './positions.js';

/** What a model is told at a position. */
type ContextBuilder = (position: Position) => CursorContext;

/** How an arm's prompt is made; whatever else the editor may tell a model one day is one more line here. */
export const contextBuilders: { readonly [Context in ArmContext]: ContextBuilder } = {
  cursor: ({ prefix, suffix, source: { file, repository } }) => ({ prefix, suffix, file, ...(repository && { repository }) }),
};
