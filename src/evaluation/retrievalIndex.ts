import { ChunkIndex, type IndexedFile } from '../complete/retrieval/chunkIndex.js';
import { readsOthers } from '../complete/retrieval/retrieve.js';
import { fileName, whyNoSource } from '../core/data/fileRules.js';
import { textFile } from '../core/data/source.js';
import { UserError } from '../core/errors.js';
import { loadModelForData } from '../files/loadModel.js';
import { checkSource } from '../files/source/checkSource.js';
import { fillInTheMiddleWith } from '../files/taughtMarkers.js';
import { t } from '../l10n/text.js';
import type { EvaluateCompletionRequest } from '../protocol/evaluateCompletion.js';

/**
 * The files of a run's workspace that were not held out, for a model that reads parts of them where the adapter has learned from
 * them. Files with credentials are left out, whatever was trained on. Throws UserError if there are none, or the model could not read them.
 */
export async function retrievalIndex(
  model: string,
  { run, fillInTheMiddle }: Pick<EvaluateCompletionRequest, 'run' | 'fillInTheMiddle'>,
  files: Iterable<IndexedFile>,
): Promise<ChunkIndex> {
  const { tokenizer, weights } = loadModelForData(model);
  weights.close();
  if (!readsOthers(fillInTheMiddleWith(null, tokenizer, fillInTheMiddle)))
    throw new UserError(
      'data-invalid',
      t`${model} has not learned to read several files, so that nothing can be retrieved for it. Evaluate without retrieval: without --retrieval, or with the setting inlineCompletion.retrieval off.`,
    );
  const index = new ChunkIndex();
  for (const { path, file, text } of files) {
    if (whyNoSource(fileName(path))) continue;
    const checked = await checkSource(textFile(path, text), true);
    if (checked !== 'unread' && 'text' in checked) index.add({ path, file, text: checked.text });
  }
  if (index.isEmpty)
    throw new UserError('data-invalid', t`${run} was trained on no source files from which anything could be retrieved.`);
  return index;
}
