/** @file Text generation on a device: adapters are switched without reloading the model, and several texts grow in turns. */
import type { Adapter } from '../core/adapters/peft.js';
import { tokenLogprobs } from '../core/generate/logprobs.js';
import { Sampler } from '../core/generate/sampling.js';
import type {
  FinishReason,
  GenerateRequest,
  GenerateResult,
  LogprobsRequest,
  OnToken,
  TextModel,
} from '../core/generate/textModel.js';
import { dtypeInWords } from '../core/models/frozenMatrix.js';
import { linearForm, type DecodePrecision } from '../core/models/matrixForm.js';
import type { WeightStore } from '../core/models/weights.js';
import type { Cancellation } from '../core/cancellation.js';
import { UserError } from '../core/errors.js';
import { Mutex } from '../core/mutex.js';
import { t } from '../l10n/text.js';
import { headForm } from './decodeConstants.js';
import { Decoder, wholeChunks, type InTurn, type KeyValueCache, type Reading } from './decoder.js';
import type { Device, SavedSessions } from './device.js';
import { SequenceSlots, sharedLength, type ScaledAdapter, type Slot } from './sequenceSlots.js';

export async function createTextModel(
  weights: WeightStore,
  device: Device,
  dtype: DecodePrecision,
  saved?: SavedSessions,
): Promise<TextModel> {
  const dtypes = new Set([linearForm(weights, 0, 'q_proj', dtype), headForm(weights, dtype)].map(dtypeInWords));
  return new OnnxTextModel(await Decoder.load(weights, device, dtype, saved), describe(device, [...dtypes]));
}

function describe({ description }: Device, [linears, head]: readonly string[]): string {
  return head === undefined ? t`${description}, ${linears!} weights` : t`${description}, ${linears!} and ${head} weights`;
}

class OnnxTextModel implements TextModel {
  readonly contextLength: number;
  private readonly mutex = new Mutex();
  private readonly slots: SequenceSlots;

  constructor(
    private readonly decoder: Decoder,
    readonly description: string,
  ) {
    this.contextLength = decoder.config.contextLength;
    this.slots = new SequenceSlots(decoder, (work) => this.mutex.runExclusive(work));
  }

  async generate(request: GenerateRequest, onToken: OnToken): Promise<GenerateResult> {
    this.checkLength(request.promptIds.length);
    const slot = await this.slots.borrow(
      scaledAdapter(request.adapter, request.adapterStrength),
      request.promptIds,
      request.signal,
    );
    if (!slot) return nothing;
    try {
      return await this.write(slot, request, onToken);
    } finally {
      this.slots.giveBack(slot);
    }
  }

  async logits(ids: readonly number[], adapter: Adapter | null, adapterStrength: number): Promise<Float32Array> {
    this.checkLength(ids.length);
    const slot = (await this.slots.borrow(scaledAdapter(adapter, adapterStrength), ids))!;
    try {
      return (await this.append(slot, ids.slice(reusePrefix(slot.cache, ids, 'exact'))))!;
    } finally {
      this.slots.giveBack(slot);
    }
  }

  async logprobs(request: LogprobsRequest, ids: readonly number[]): Promise<readonly number[]> {
    const { promptIds, adapter, adapterStrength, signal } = request;
    this.checkLength(promptIds.length, ids.length - 1);
    const slot = await this.slots.borrow(scaledAdapter(adapter, adapterStrength), promptIds, signal);
    if (!slot) throw cancelled;
    try {
      const found: number[] = [];
      const unread = promptIds.slice(reusePrefix(slot.cache, promptIds, 'exact'));
      const onLogits = (logits: Float32Array): unknown => found.push(tokenLogprobs(logits, ids[found.length]!, 0).logprob);
      await this.read(slot, { ids: [...unread, ...ids.slice(0, -1)], from: unread.length - 1, onLogits }, signal);
      return found;
    } finally {
      this.slots.giveBack(slot);
    }
  }

  async dispose(): Promise<void> {
    this.slots.dispose();
    await this.decoder.dispose();
  }

  private async write(slot: Slot, request: GenerateRequest, onToken: OnToken): Promise<GenerateResult> {
    const { promptIds, sampling, maxNewTokens, endIds, reuse = 'exact', topLogprobs, signal } = request;
    const sampler = new Sampler(sampling);
    const ids: number[] = [];
    const started = performance.now();
    const reusedTokens = reusePrefix(slot.cache, promptIds, reuse);
    let logits = await this.append(slot, promptIds.slice(reusedTokens), signal);
    const prompted = performance.now();

    let finishReason: FinishReason = 'length';
    const limit = Math.min(maxNewTokens, this.contextLength - promptIds.length);
    while (logits && ids.length < limit) {
      // The sampler may change the logits.
      const own = topLogprobs === undefined ? null : logits.slice();
      const id = sampler.next(logits, joined(promptIds, ids));
      if (endIds.includes(id)) {
        finishReason = 'end';
        break;
      }
      ids.push(id);
      if (onToken(id, own && tokenLogprobs(own, id, topLogprobs!)) === false) {
        finishReason = 'stopped';
        break;
      }
      if (ids.length < limit) logits = await this.append(slot, [id], signal);
    }
    if (!logits) finishReason = 'stopped';
    const promptSeconds = (prompted - started) / 1000;
    return { ids, finishReason, reusedTokens, promptSeconds, decodeSeconds: (performance.now() - prompted) / 1000 };
  }

  /** The logits after the ids; null if the signal came first. */
  private async append(slot: Slot, ids: readonly number[], signal?: Cancellation): Promise<Float32Array | null> {
    let last: Float32Array | null = null;
    try {
      await this.read(slot, { ids, from: ids.length - 1, onLogits: (logits) => (last = logits) }, signal);
    } catch (error) {
      if (error !== cancelled) throw error;
    }
    return last;
  }

  /** Throws `cancelled` if the signal comes first. */
  private read(slot: Slot, reading: Reading, signal?: Cancellation): Promise<void> {
    const inTurn: InTurn = async (work) => {
      const result = await this.mutex.runExclusive(() => (signal?.aborted ? Promise.reject(cancelled) : work()));
      await eventLoopTurn();
      return result;
    };
    return this.decoder.append(slot.cache, reading, slot.tensors, inTurn);
  }

  private checkLength(promptLength: number, behind = 0): void {
    if (promptLength === 0) throw new UserError('data-invalid', t`The prompt is empty: it needs at least one token.`);
    if (promptLength + behind >= this.contextLength) {
      const message = t`The prompt has ${promptLength + behind} tokens; this model reads at most ${this.contextLength}. Shorten it.`;
      throw new UserError('data-invalid', message);
    }
  }
}

/** What a request gives that was cancelled while it waited. */
const nothing: GenerateResult = { ids: [], finishReason: 'stopped', reusedTokens: 0, promptSeconds: 0, decodeSeconds: 0 };

/** Thrown where a request ends between two turns. */
const cancelled = new Error('cancelled');

/** At strength 0, an adapter is the base. */
function scaledAdapter(adapter: Adapter | null, strength: number): ScaledAdapter {
  return strength === 0 || adapter === null ? { adapter: null, strength: 0 } : { adapter, strength };
}

function* joined(promptIds: readonly number[], ids: readonly number[]): Iterable<number> {
  yield* promptIds;
  yield* ids;
}

/** Cuts the cache back to the part that the prompt can reuse; at least one token must be read again to get logits. */
function reusePrefix(cache: KeyValueCache, promptIds: readonly number[], reuse: 'exact' | 'all'): number {
  const shared = sharedLength(cache, promptIds);
  cache.cutTo(reuse === 'all' ? shared : Math.min(cache.exactLength, wholeChunks(shared)));
  return cache.ids.length;
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
