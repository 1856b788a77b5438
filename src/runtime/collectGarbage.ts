import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * Frees what nobody refers to any more, in some milliseconds. Training allocates little within V8's own heap, so left to itself V8
 * lets copies of weights and checkpoints, which lie beside it, stay long after their last use.
 */
export function collectGarbage(): void {
  collect();
}
