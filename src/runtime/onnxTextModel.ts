/** @file Text generation on a device: caches remember prefixes, and adapters are switched without reloading the model. */
import type { Adapter } from '../core/adapters/peft.js';
import { prepareAdapter } from '../core/generate/preparedAdapter.js';
import { Sampler } from '../core/generate/sampling.js';
import type { FinishReason, GenerateRequest, GenerateResult, TextModel } from '../core/generate/textModel.js';
import { linearForm } from '../core/models/matrixForm.js';
import type { WeightStore } from '../core/models/weights.js';
import { UserError } from '../core/errors.js';
import { t } from '../l10n/text.js';
import { headForm, type DecodeDType } from './decodeConstants.js';
import { Decoder, KeyValueCache, wholeChunks } from './decoder.js';
import type { Device, DeviceTensor } from './device.js';

/** Number of adapters and caches kept ready: enough for the base and an adapter side by side, and two more. */
const maxSlots = 4;

/** An adapter at a certain strength, with the cache of what it read last. */
interface Slot {
  readonly adapter: Adapter | null;
  readonly strength: number;
  readonly tensors: Map<string, DeviceTensor>;
  readonly cache: KeyValueCache;
}

export async function createTextModel(weights: WeightStore, device: Device, dtype: DecodeDType): Promise<TextModel> {
  const forms = new Set([linearForm(weights, 0, 'q_proj', dtype), headForm(weights, dtype)]);
  return new OnnxTextModel(await Decoder.load(weights, device, dtype), describe(device, [...forms]));
}

function describe({ description }: Device, [linears, head]: readonly string[]): string {
  return head === undefined ? t`${description}, ${linears!} weights` : t`${description}, ${linears!} and ${head} weights`;
}

class OnnxTextModel implements TextModel {
  readonly contextLength: number;
  /** Most recently used last. */
  private slots: Slot[] = [];

  constructor(
    private readonly decoder: Decoder,
    readonly description: string,
  ) {
    this.contextLength = decoder.config.contextLength;
  }

  async generate(request: GenerateRequest, onToken: (id: number) => unknown): Promise<GenerateResult> {
    const { promptIds, sampling, maxNewTokens, endIds, reuse = 'exact' } = request;
    this.checkLength(promptIds.length);
    const slot = await this.slot(request.adapter, request.adapterStrength);
    const sampler = new Sampler(sampling);
    const ids: number[] = [];
    const started = performance.now();
    const reusedTokens = reusePrefix(slot.cache, promptIds, reuse);
    let logits = await this.append(slot, promptIds.slice(reusedTokens));
    const prompted = performance.now();

    let finishReason: FinishReason = 'length';
    const limit = Math.min(maxNewTokens, this.contextLength - promptIds.length);
    while (ids.length < limit) {
      const id = sampler.next(
        logits,
        (function* () {
          yield* promptIds;
          yield* ids;
        })(),
      );
      if (endIds.includes(id)) {
        finishReason = 'end';
        break;
      }
      ids.push(id);
      if (onToken(id) === false) {
        finishReason = 'stopped';
        break;
      }
      await eventLoopTurn();
      if (ids.length < limit) logits = await this.append(slot, [id]);
    }
    const promptSeconds = (prompted - started) / 1000;
    return { ids, finishReason, reusedTokens, promptSeconds, decodeSeconds: (performance.now() - prompted) / 1000 };
  }

  async logits(ids: readonly number[], adapter: Adapter | null, adapterStrength: number): Promise<Float32Array> {
    this.checkLength(ids.length);
    const slot = await this.slot(adapter, adapterStrength);
    return this.append(slot, ids.slice(reusePrefix(slot.cache, ids, 'exact')));
  }

  async dispose(): Promise<void> {
    this.slots.forEach((slot) => this.forget(slot));
    this.slots = [];
    await this.decoder.dispose();
  }

  private append(slot: Slot, ids: readonly number[]): Promise<Float32Array> {
    return this.decoder.append(slot.cache, ids, slot.tensors, eventLoopTurn);
  }

  private checkLength(promptLength: number): void {
    if (promptLength === 0) throw new UserError('data-invalid', t`The prompt is empty: it needs at least one token.`);
    if (promptLength >= this.contextLength) {
      const message = t`The prompt has ${promptLength} tokens; this model reads at most ${this.contextLength}. Shorten it.`;
      throw new UserError('data-invalid', message);
    }
  }

  private async slot(wanted: Adapter | null, wantedStrength: number): Promise<Slot> {
    const [adapter, strength] = wantedStrength === 0 || wanted === null ? [null, 0] : [wanted, wantedStrength];
    const known = this.slots.find((slot) => slot.adapter === adapter && slot.strength === strength);
    const slot = known ?? {
      adapter,
      strength,
      tensors: await this.decoder.uploadAdapter(prepareAdapter(this.decoder.config, adapter, strength)),
      cache: new KeyValueCache(),
    };
    this.slots = [...this.slots.filter((other) => other !== slot), slot];
    while (this.slots.length > maxSlots) this.forget(this.slots.shift()!);
    return slot;
  }

  private forget({ tensors, cache }: Slot): void {
    this.decoder.releaseAll(tensors);
    this.decoder.releaseAll(cache.tensors);
  }
}

/** Cuts the cache back to the part that the prompt can reuse; at least one token must be read again to get logits. */
function reusePrefix(cache: KeyValueCache, promptIds: readonly number[], reuse: 'exact' | 'all'): number {
  let shared = 0;
  while (shared < promptIds.length - 1 && cache.ids[shared] === promptIds[shared]) shared++;
  cache.cutTo(reuse === 'all' ? shared : Math.min(cache.exactLength, wholeChunks(shared)));
  return cache.ids.length;
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
