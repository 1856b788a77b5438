import fc from 'fast-check';

// The same inputs every time, so that a failure comes from the change at hand; FUZZ_SEED=random explores.
const seed = process.env['FUZZ_SEED'] ?? '20261123';
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) });
