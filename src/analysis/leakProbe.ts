/** @file A verbatim probe: does the adapter go on with the training text, word for word, where the base does not? */
import { ignoredLabel, type Example } from '../core/data/batch.js';
import { shuffledIndices } from '../core/data/shuffle.js';
import { UserError } from '../core/errors.js';
import type { Adapter } from '../core/adapters/peft.js';
import { greedy } from '../core/generate/sampling.js';
import type { TextModel } from '../core/generate/textModel.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { readAdapterFor } from '../files/adapterFolder.js';
import { loadModelForData } from '../files/loadModel.js';
import { savedSessionsOf } from '../files/savedSessions.js';
import { t } from '../l10n/text.js';
import type { Leak, LeakProbeOptions, LeakProbeRequest, LeakReport } from '../protocol/leakProbe.js';
import { wilsonInterval } from '../protocol/wilsonInterval.js';
import { readDataset } from '../runs/runData.js';
import { RunDirectory } from '../runs/runDirectory.js';
import { disposeQuietly } from '../runtime/disposal.js';
import { loadTextModel } from '../runtime/engine.js';
import type { EngineOptions } from '../runtime/engineOptions.js';
import { originWithLine } from './originWithLine.js';
import type { Pace } from './pace.js';

/**
 * Probes seeded places of the run's training data, without overlaps. Texts are compared token by token and written greedily, with
 * the weights held as for inline completion. Throws UserError if no text is long enough.
 */
export async function probeForLeaks(
  request: LeakProbeRequest,
  engine: Pick<EngineOptions, 'device' | 'threads'>,
  pace: Pace,
): Promise<LeakReport> {
  const config = RunDirectory.open(request.run).readConfig();
  const model = loadModelForData(config.model);
  const { weights, tokenizer } = model;
  try {
    const adapter = readAdapterFor(weights.config, request.adapter);
    const places = placesIn((await readDataset(model, config)).dataset.training, tokenizer, request);
    if (places.length === 0) throw tooShort(request);
    const chosen = [...shuffledIndices(places.length, request.seed, probeStream).subarray(0, request.probes)];
    const textModel = await loadTextModel(weights, { ...engine, base_dtype: 'auto' }, { saved: savedSessionsOf(model.path) });
    try {
      const found: Leak[] = [];
      for (const [done, index] of chosen.entries()) {
        const reproduced = await probe(textModel, tokenizer, adapter, places[index]!, request);
        if (reproduced) found.push({ ...reproduced, origin: originWithLine(reproduced) });
        await pace(done + 1, chosen.length);
      }
      const leaks = found.filter(({ baseTokens }) => baseTokens < request.matchTokens);
      return {
        ...request,
        model: config.model,
        places: places.length,
        probed: chosen.length,
        reproduced: found.length,
        byBaseAlso: found.length - leaks.length,
        leaks: leaks.sort((a, b) => b.tokens - a.tokens),
        rate: leaks.length / chosen.length,
        interval: wilsonInterval(leaks.length, chosen.length),
        engine: textModel.description,
      };
    } finally {
      await disposeQuietly(textModel);
    }
  } finally {
    weights.close();
  }
}

const probeStream = 0x4c45414b;

/** Where in the training data a continuation begins. */
interface Place {
  readonly example: Example;
  readonly start: number;
}

/**
 * Places that are preceded by enough text, or by the whole prompt of a row, and followed by enough text that was learned. Markers
 * are not text.
 */
function placesIn(
  examples: readonly Example[],
  { specialIds, stopIds }: Tokenizer,
  { prefixTokens, matchTokens }: LeakProbeOptions,
): Place[] {
  const markers = new Set([...specialIds, ...stopIds]);
  const places: Place[] = [];
  for (const example of examples) {
    const { inputIds, labels } = example;
    const isText = (at: number) => labels[at] !== ignoredLabel && !markers.has(inputIds[at]!);
    const answer = labels.findIndex((label) => label !== ignoredLabel);
    let length = 0;
    for (let end = 0; end < inputIds.length; end++) {
      length = isText(end) ? length + 1 : 0;
      const start = end - matchTokens + 1;
      const isPreceded = start >= prefixTokens || (start === answer && answer > 0);
      if (length < matchTokens || !isPreceded) continue;
      places.push({ example, start });
      length = 0;
    }
  }
  return places;
}

/** Null if the adapter differs from the training text before the end of the match. */
async function probe(
  model: TextModel,
  tokenizer: Tokenizer,
  adapter: Adapter,
  { example, start }: Place,
  { prefixTokens, matchTokens }: LeakProbeOptions,
): Promise<Leak | null> {
  const { inputIds, origin } = example;
  const prefix = [...inputIds.subarray(Math.max(0, start - prefixTokens), start)];
  const rest = inputIds.subarray(start);
  const { bosId } = tokenizer;
  const promptIds = bosId === null || prefix[0] === bosId ? prefix : [bosId, ...prefix];
  const tokens = await matched(model, adapter, promptIds, rest);
  if (tokens < matchTokens) return null;
  const text = rest.subarray(0, tokens);
  return {
    origin,
    prefix: tokenizer.decode(prefix, { skipSpecialTokens: true }),
    text: tokenizer.decode(text, { continuation: true, skipSpecialTokens: true }),
    tokens,
    baseTokens: await matched(model, null, promptIds, text),
  };
}

/** How many tokens of `wanted` the model writes before it differs. */
async function matched(
  model: TextModel,
  adapter: Adapter | null,
  promptIds: readonly number[],
  wanted: Int32Array,
): Promise<number> {
  let count = 0;
  const request = { promptIds, adapter, adapterStrength: 1, sampling: greedy, maxNewTokens: wanted.length, endIds: [] };
  await model.generate(request, (id) => {
    if (id !== wanted[count]) return false;
    count++;
    return true;
  });
  return count;
}

function tooShort({ prefixTokens, matchTokens }: LeakProbeOptions): UserError {
  return new UserError(
    'data-invalid',
    t`No training text is long enough to be probed: it takes ${prefixTokens} tokens to show, or the prompt of a row, and ${matchTokens} to go on with. Ask for fewer.`,
  );
}
