/** @file Text generation on a device: caches that remember prefixes, adapters that are switched without reloading. */
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

/** Adapters and caches kept ready: enough for base beside adapter, and two more. */
const keptVoices = 4;

/** An adapter at a strength, with the cache of what it last read. */
interface Voice {
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
  private voices: Voice[] = [];

  constructor(
    private readonly decoder: Decoder,
    readonly description: string,
  ) {
    this.contextLength = decoder.config.contextLength;
  }

  async generate(request: GenerateRequest, onToken: (id: number) => unknown): Promise<GenerateResult> {
    const { promptIds, sampling, maxNewTokens, endIds, reuse = 'exact' } = request;
    this.checkLength(promptIds.length);
    const voice = await this.voice(request.adapter, request.adapterStrength);
    const sampler = new Sampler(sampling);
    const ids: number[] = [];
    const started = performance.now();
    const reusedTokens = reusePrefix(voice.cache, promptIds, reuse);
    let logits = await this.append(voice, promptIds.slice(reusedTokens));
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
      if (ids.length < limit) logits = await this.append(voice, [id]);
    }
    const promptSeconds = (prompted - started) / 1000;
    return { ids, finishReason, reusedTokens, promptSeconds, decodeSeconds: (performance.now() - prompted) / 1000 };
  }

  async logits(ids: readonly number[], adapter: Adapter | null, adapterStrength: number): Promise<Float32Array> {
    this.checkLength(ids.length);
    const voice = await this.voice(adapter, adapterStrength);
    return this.append(voice, ids.slice(reusePrefix(voice.cache, ids, 'exact')));
  }

  async dispose(): Promise<void> {
    this.voices.forEach((voice) => this.forget(voice));
    this.voices = [];
    await this.decoder.dispose();
  }

  private append(voice: Voice, ids: readonly number[]): Promise<Float32Array> {
    return this.decoder.append(voice.cache, ids, voice.tensors, eventLoopTurn);
  }

  private checkLength(promptLength: number): void {
    if (promptLength === 0) throw new UserError('data-invalid', t`The prompt is empty: it needs at least one token.`);
    if (promptLength >= this.contextLength) {
      const message = t`The prompt has ${promptLength} tokens; this model reads at most ${this.contextLength}. Shorten it.`;
      throw new UserError('data-invalid', message);
    }
  }

  private async voice(wanted: Adapter | null, wantedStrength: number): Promise<Voice> {
    const [adapter, strength] = wantedStrength === 0 || wanted === null ? [null, 0] : [wanted, wantedStrength];
    const known = this.voices.find((voice) => voice.adapter === adapter && voice.strength === strength);
    const voice = known ?? {
      adapter,
      strength,
      tensors: await this.decoder.uploadAdapter(prepareAdapter(this.decoder.config, adapter, strength)),
      cache: new KeyValueCache(),
    };
    this.voices = [...this.voices.filter((other) => other !== voice), voice];
    while (this.voices.length > keptVoices) this.forget(this.voices.shift()!);
    return voice;
  }

  private forget({ tensors, cache }: Voice): void {
    this.decoder.releaseAll(tensors);
    this.decoder.releaseAll(cache.tensors);
  }
}

/** Cuts the cache back to what it may share with the prompt; at least one token must be read anew to have logits. */
function reusePrefix(cache: KeyValueCache, promptIds: readonly number[], reuse: 'exact' | 'all'): number {
  let shared = 0;
  while (shared < promptIds.length - 1 && cache.ids[shared] === promptIds[shared]) shared++;
  cache.cutTo(reuse === 'all' ? shared : Math.min(cache.exactLength, wholeChunks(shared)));
  return cache.ids.length;
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
