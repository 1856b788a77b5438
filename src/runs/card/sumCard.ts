/** @file The model card of an adapter that is the sum of others. */
import type { MergeResult } from '../../protocol/mergeAdapters.js';
import { cardMarker, frontMatter, link, plain, table, useAdapter, type CardBase } from './cardParts.js';

export interface SumFacts {
  readonly name: string;
  /** Null if none of the adapters names it. */
  readonly base: CardBase | null;
  readonly terms: readonly { readonly name: string; readonly weight: number }[];
  readonly result: Pick<MergeResult, 'rank' | 'exactRank' | 'loss'>;
}

export function sumCard({ name, base, terms, result }: SumFacts): string {
  const known = base ?? { name: 'BASE', hubName: null, license: null };
  const sections = [
    frontMatter('peft', known, []),
    cardMarker,
    `# ${plain(name)}`,
    `A LoRA adapter${base ? ` for ${link(base)}` : ''}, the weighted sum of others, made with [LoRA Workbench](https://github.com/lora-workbench/lora-workbench).`,
    '## Sum of',
    table(terms.map((term) => [plain(term.name), String(term.weight)] as const)),
    rankSentence(result),
    '## How to use',
    'Below, `FOLDER` is the folder of this file.',
    ...useAdapter(known, result.rank),
  ];
  return `${sections.join('\n\n')}\n`;
}

function rankSentence({ rank, exactRank, loss }: SumFacts['result']): string {
  if (loss === null) return `Its rank is ${rank}, which loses nothing.`;
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return `Its rank is ${rank}, where ${exactRank} would lose nothing: it is off by ${percent(loss.relativeError)} in the Frobenius norm and keeps ${percent(loss.energyKept)} of the energy.`;
}
