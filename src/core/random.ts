/**
 * xoshiro128** by Blackman and Vigna (https://prng.di.unimi.it/xoshiro128starstar.c): small, fast, and the same on every
 * platform. `stream` separates the uses of one seed: equal (seed, stream) give equal numbers.
 */
export class Random {
  private readonly state = new Uint32Array(4);

  constructor(seed: number, ...stream: number[]) {
    for (let word = 0; word < 4; word++) this.state[word] = hash32(seed, ...stream, word);
    // The all-zero state is the only one that the generator cannot leave.
    if (this.state.every((word) => word === 0)) this.state[0] = 1;
  }

  /** Uniform in 0 … 2³² − 1. */
  uint32(): number {
    const s = this.state;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** Uniform in [0, 1), a multiple of 2⁻²⁴: exact in fp32. */
  uniform(): number {
    return (this.uint32() >>> 8) / 0x1000000;
  }
}

/** MurmurHash3's 32-bit hash of integers below 2³² (https://github.com/aappleby/smhasher, MurmurHash3.cpp). */
export function hash32(...words: number[]): number {
  let hash = 0;
  for (const word of words) {
    hash ^= Math.imul(rotateLeft(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
    hash = Math.imul(rotateLeft(hash, 13), 5) + 0xe6546b64;
  }
  hash ^= words.length * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
