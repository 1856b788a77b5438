import fc from 'fast-check';

/**
 * Copies of a file with bytes changed (most often in its header), numbers made extreme, parts removed or repeated, or cut short.
 */
export function damagedCopies(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const inHeader = fc.nat({ max: Math.min(original.length, 600) - 1 });
  const anywhere = fc.nat({ max: original.length - 1 });
  const place = fc.oneof({ weight: 3, arbitrary: inHeader }, { weight: 1, arbitrary: anywhere });
  const damage = fc.oneof(
    fc.record({ kind: fc.constant('byte' as const), at: place, value: fc.nat({ max: 255 }) }),
    fc.record({ kind: fc.constant('number' as const), at: place, value: fc.constantFrom(...extremes) }),
    fc.record({ kind: fc.constant('remove' as const), at: place, value: fc.nat({ max: 64 }) }),
    fc.record({ kind: fc.constant('repeat' as const), at: place, value: fc.nat({ max: 64 }) }),
    fc.record({ kind: fc.constant('cut' as const), at: place, value: fc.constant(0) }),
  );
  return fc.array(damage, { minLength: 1, maxLength: 3 }).map((damages) =>
    damages.reduce((bytes, { kind, at: wanted, value }) => {
      const at = Math.min(wanted, bytes.length);
      switch (kind) {
        case 'byte':
          return joined(bytes.subarray(0, at), Uint8Array.of(Number(value)), bytes.subarray(at + 1));
        case 'number':
          return joined(bytes.subarray(0, at), littleEndian(BigInt(value)), bytes.subarray(at + 8));
        case 'remove':
          return joined(bytes.subarray(0, at), bytes.subarray(at + Number(value)));
        case 'repeat':
          return joined(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - Number(value))));
        case 'cut':
          return bytes.slice(0, at);
      }
    }, original),
  );
}

const extremes = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 40n, 2n ** 53n, 2n ** 60n, 2n ** 63n, 2n ** 64n - 1n];

const littleEndian = (value: bigint) => new Uint8Array(BigUint64Array.of(value).buffer);
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
