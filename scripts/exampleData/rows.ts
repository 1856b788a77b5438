import { Random } from '../../src/core/random.js';
import { settings, type Choice, type Setting } from './settings.js';
import { verbs, type Side } from './wordings.js';

/** A sentence, and as JSON the settings of run.json that it asks for, by their dotted names. */
export interface Row {
  readonly sentence: string;
  readonly settings: string;
}

/** Different sentences about one to three settings, in the wordings of one side; equal seeds give equal rows. */
export function makeRows(side: Side, count: number, seed: number): Row[] {
  const random = new Random(seed);
  const rows = new Map<string, Row>();
  while (rows.size < count) {
    const parts = makeParts(side, random);
    const row = { sentence: sentenceOf(parts, verbs[side], random), settings: settingsOf(parts) };
    // Two sentences must differ in more than a capital and a full stop.
    const key = row.sentence.toLowerCase().replace(/\.$/, '');
    if (!rows.has(key)) rows.set(key, row);
  }
  return [...rows.values()];
}

/** One setting as a sentence puts it. */
interface Part {
  readonly setting: Setting;
  readonly value: unknown;
  readonly phrase: string;
  readonly isOrder: boolean;
}

const partCounts = [1, 2, 2, 3];

function makeParts(side: Side, random: Random): Part[] {
  const parts: Part[] = [];
  for (const setting of shuffled(settings, random).slice(0, pick(partCounts, random))) {
    const choice = pick(setting.choices, random);
    parts.push({ setting, value: choice.value, ...wordsFor(choice, side, parts.at(-1), random) });
  }
  return parts;
}

const orderShare = 0.4;

function wordsFor({ wording, said }: Choice, side: Side, before: Part | undefined, random: Random) {
  const { things, orders } = wording[side];
  const isOrder = random.uniform() < orderShare;
  const followsRank = before?.setting.key === 'r' && !before.isOrder;
  const fitting = (isOrder ? orders : things).filter((phrase) => followsRank || !continues(phrase));
  const phrase = pick(fitting, random);
  return { phrase: fill(phrase, isFormula(phrase) ? said[0]! : pick(said, random)), isOrder };
}

/** Whether the phrase continues the one before, as in “rank 8 on the MLP only”. */
function continues(phrase: string): boolean {
  return phrase.startsWith('on ');
}

/** Nobody writes “r = eight”. */
function isFormula(phrase: string): boolean {
  return /[=:]|\b(r|lr)\b/.test(phrase);
}

function fill(phrase: string, said: string): string {
  const ending = said === '1' || said === 'one' ? '' : '$1';
  return phrase
    .replace(/\{[nxf]\}/, said)
    .replace(/\((e?s)\)/, ending)
    .replace(/\b(1|one) time\b/, 'once')
    .replace(/\b(2|two) times\b/, 'twice');
}

const links = [', ', ', ', '; '];
const lastLinks = [', ', ' and ', ', and '];

function sentenceOf(parts: readonly Part[], sideVerbs: readonly string[], random: Random): string {
  let text = '';
  for (const [place, { phrase, isOrder }] of parts.entries()) {
    if (place > 0) text += continues(phrase) ? ' ' : pick(place === parts.length - 1 ? lastLinks : links, random);
    if (!isOrder && place === 0 && random.uniform() < 0.6) text += `${pick(sideVerbs, random)} `;
    if (!isOrder && place > 0 && parts[place - 1]!.isOrder) text += text.endsWith('and ') ? 'use ' : 'with ';
    text += phrase;
  }
  return random.uniform() < 0.5 ? `${capitalised(text)}.` : text;
}

/** Names of settings stay as they are. */
function capitalised(text: string): string {
  return /^(r|lr|q)\b/.test(text) ? text : `${text[0]!.toUpperCase()}${text.slice(1)}`;
}

/** By their dotted names, in the order of the sentence: what comes first there is asked for first. */
function settingsOf(parts: readonly Part[]): string {
  const json = Object.fromEntries(parts.map(({ setting, value }) => [`${setting.section}.${setting.key}`, value]));
  // Rates as people write them, 2e-4, which JSON allows.
  return JSON.stringify(json).replace(/(?<="train.learning_rate":)[\d.]+/, (rate) => Number(rate).toExponential());
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(random.uniform() * items.length)]!;
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random.uniform() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
