import type { AdapterSpectrum, MatrixSpectrum } from '../../src/protocol/spectrum.js';
import type { PhraseKey } from '../../src/protocol/webviewStrings.js';
import { formatNumber, formatPercent } from '../shared/text.js';

/** What the cells of the heat map may show. */
export interface Measure {
  readonly name: string;
  readonly title: PhraseKey;
  /** Null where there is nothing to show. */
  of(matrix: MatrixSpectrum): number | null;
  format(value: number): string;
  /** In the cell itself. */
  short(value: number): string;
}

const share = { format: formatPercent, short: (value: number) => formatNumber(100 * value, { maximumFractionDigits: 0 }) };
const ofRank = { short: (value: number) => formatNumber(value, { maximumFractionDigits: 0 }) };

const measures: readonly Measure[] = [
  {
    name: 'energyRank',
    title: 'spectrum.measure.energyRank',
    of: ({ energyRank }) => energyRank,
    format: formatNumber,
    ...ofRank,
  },
  {
    name: 'entropyRank',
    title: 'spectrum.measure.entropyRank',
    of: ({ entropyRank }) => entropyRank,
    format: (value) => formatNumber(value, { maximumFractionDigits: 1 }),
    ...ofRank,
  },
  {
    name: 'change',
    title: 'spectrum.measure.change',
    of: ({ norm, baseNorm }) => (baseNorm ? norm / baseNorm : null),
    format: formatPercent,
    short: (value) => formatNumber(100 * value, { maximumSignificantDigits: 2 }),
  },
  { name: 'output', title: 'spectrum.measure.output', of: ({ similarity }) => similarity?.output ?? null, ...share },
  { name: 'input', title: 'spectrum.measure.input', of: ({ similarity }) => similarity?.input ?? null, ...share },
];

/** Those for which there is something to show. */
export function measuresOf({ matrices }: AdapterSpectrum): readonly Measure[] {
  return measures.filter(({ of }) => matrices.some((matrix) => of(matrix) !== null));
}
