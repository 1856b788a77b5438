/** @file What text generation keeps ready on the device: adapters, and caches that remember prefixes. */
import type { Cancellation } from '../core/cancellation.js';
import type { Adapter } from '../core/adapters/peft.js';
import { prepareAdapter } from '../core/generate/preparedAdapter.js';
import { KeyValueCache, type Decoder, type InTurn } from './decoder.js';
import type { DeviceTensor } from './device.js';
import { Semaphore } from './semaphore.js';

/** Number of caches, and so of texts written at the same time: enough for the base and an adapter side by side, and two more. */
const maxSlots = 4;

/** An adapter at a certain strength. */
export interface ScaledAdapter {
  readonly adapter: Adapter | null;
  readonly strength: number;
}

/** An adapter with the cache of what it read last; for one text at a time. */
export interface Slot extends ScaledAdapter {
  readonly tensors: Map<string, DeviceTensor>;
  readonly cache: KeyValueCache;
}

export class SequenceSlots {
  private readonly places = new Semaphore(maxSlots);
  /** Most recently used last. */
  private slots: Slot[] = [];
  private readonly lent = new Set<Slot>();

  constructor(
    private readonly decoder: Decoder,
    private readonly inTurn: InTurn,
  ) {}

  /** Lends the free slot that remembers most of the prompt, when there is one; null if the wait was cancelled. */
  async borrow(wanted: ScaledAdapter, promptIds: readonly number[], signal?: Cancellation): Promise<Slot | null> {
    if (!(await this.places.acquire(signal))) return null;
    try {
      return await this.inTurn(() => this.take(wanted, promptIds));
    } catch (error) {
      this.places.release();
      throw error;
    }
  }

  giveBack(slot: Slot): void {
    this.lent.delete(slot);
    this.places.release();
  }

  dispose(): void {
    this.slots.forEach((slot) => this.forget(slot));
  }

  private async take({ adapter, strength }: ScaledAdapter, promptIds: readonly number[]): Promise<Slot> {
    const same = this.slots.filter((slot) => slot.adapter === adapter && slot.strength === strength);
    const remembering = same
      .filter((slot) => !this.lent.has(slot))
      .toSorted((a, b) => sharedLength(b.cache, promptIds) - sharedLength(a.cache, promptIds));
    const slot = remembering[0] ?? {
      adapter,
      strength,
      tensors: same[0]?.tensors ?? (await this.decoder.uploadAdapter(prepareAdapter(this.decoder.config, adapter, strength))),
      cache: new KeyValueCache(),
    };
    this.slots = [...this.slots.filter((other) => other !== slot), slot];
    this.lent.add(slot);
    if (this.slots.length > maxSlots) this.forget(this.slots.find((other) => !this.lent.has(other))!);
    return slot;
  }

  /** Slots of one adapter at one strength share its tensors. */
  private forget(slot: Slot): void {
    this.slots = this.slots.filter((other) => other !== slot);
    this.decoder.releaseAll(slot.cache.tensors);
    if (!this.slots.some((other) => other.tensors === slot.tensors)) this.decoder.releaseAll(slot.tensors);
  }
}

/** How many tokens of the prompt the cache holds; the last one must be read again to get logits. */
export function sharedLength(cache: KeyValueCache, promptIds: readonly number[]): number {
  let shared = 0;
  while (shared < promptIds.length - 1 && cache.ids[shared] === promptIds[shared]) shared++;
  return shared;
}
