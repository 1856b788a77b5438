/** @file What an adapter has learned: the panel's state, and the messages between host and page. */
import { boolean, count, list, nullable, number, object, string, type Guard } from '../guard.js';
import type {
  AdapterSpectrum,
  DirectionSimilarity,
  IntruderReport,
  MatrixName,
  MatrixSpectrum,
  RankLossReport,
  RankShare,
  SimilarityGrids,
} from '../spectrum.js';
import { nothing, type ViewProtocol } from './view.js';

export interface SpectrumView {
  readonly state: SpectrumState;
  readonly toWebview: ToSpectrum;
  readonly fromWebview: FromSpectrum;
}

export interface SpectrumState {
  /** Null after the window was reloaded; the page then asks for what it showed. */
  readonly shown: ShownSpectrum | null;
}

export interface ShownSpectrum {
  readonly name: string;
  /** Of the adapter that it is compared with. */
  readonly otherName: string | null;
  readonly spectrum: AdapterSpectrum;
  readonly losses: RankLossReport | null;
  readonly intruders: readonly IntruderReport[];
}

export type ToSpectrum =
  | { readonly type: 'losses'; readonly report: RankLossReport }
  | { readonly type: 'intruders'; readonly report: IntruderReport }
  | { readonly type: 'similarity'; readonly matrix: MatrixName; readonly grids: SimilarityGrids }
  /** Whether something is being computed that the page has asked for. */
  | { readonly type: 'busy'; readonly busy: boolean };

export type FromSpectrum =
  /** Shows an adapter of an earlier session again. */
  | { readonly type: 'reopen'; readonly adapter: string; readonly other: string | null }
  /** Asks which adapter to compare with, and shows the comparison. */
  | { readonly type: 'compareWith' }
  | { readonly type: 'showSimilarity'; readonly matrix: MatrixName }
  | { readonly type: 'findIntruders'; readonly matrix: MatrixName }
  | { readonly type: 'measureRanks' };

const matrixName: Guard<MatrixName> = object({ layer: count, linear: string });

const similarity: Guard<DirectionSimilarity> = object({
  ranks: count,
  input: number,
  output: number,
  inputByChance: number,
  outputByChance: number,
});

const matrixSpectrum: Guard<MatrixSpectrum> = object({
  layer: count,
  linear: string,
  values: list(number),
  entropyRank: number,
  energyRank: count,
  norm: number,
  baseNorm: nullable(number),
  similarity: nullable(similarity),
});

const rankShare: Guard<RankShare> = object({ rank: count, energyKept: number });

const adapterSpectrum: Guard<AdapterSpectrum> = object({
  adapter: string,
  model: nullable(string),
  other: nullable(string),
  rank: count,
  matrices: list(matrixSpectrum),
  ladder: list(rankShare),
});

const intruderReport: Guard<IntruderReport> = object({
  layer: count,
  linear: string,
  directions: list(object<IntruderReport['directions'][number]>({ value: number, cosine: number })),
  intruders: count,
  threshold: number,
});

const rankLossReport: Guard<RankLossReport> = object({
  losses: list(
    object<RankLossReport['losses'][number]>({ rank: count, loss: number, difference: number, halfInterval: nullable(number) }),
  ),
  examples: count,
  tokens: count,
  engine: string,
});

const shownSpectrum: Guard<ShownSpectrum> = object({
  name: string,
  otherName: nullable(string),
  spectrum: adapterSpectrum,
  losses: nullable(rankLossReport),
  intruders: list(intruderReport),
});

export const spectrum: ViewProtocol<SpectrumView> = {
  state: object({ shown: nullable(shownSpectrum) }),
  toWebview: {
    losses: object({ report: rankLossReport }),
    intruders: object({ report: intruderReport }),
    similarity: object({
      matrix: matrixName,
      grids: object<SimilarityGrids>({ input: list(list(number)), output: list(list(number)) }),
    }),
    busy: object({ busy: boolean }),
  },
  fromWebview: {
    reopen: object({ adapter: string, other: nullable(string) }),
    compareWith: nothing,
    showSimilarity: object({ matrix: matrixName }),
    findIntruders: object({ matrix: matrixName }),
    measureRanks: nothing,
  },
};
