/**
 * @file Which files of a data set on the hub are meant, found as the datasets library finds them
 * (https://huggingface.co/docs/datasets/repository_structure): by the configurations on its card, or else by the splits that its
 * files are called after.
 */
import picomatch from 'picomatch';
import { UserError } from '../../core/errors.js';
import { t } from '../../l10n/text.js';
import type { HubDataReference } from './reference.js';

export interface ChosenFiles {
  readonly paths: readonly string[];
  /** What else could be chosen, as it is written after the colon: "validation", "main/test". */
  readonly otherSelections: readonly string[];
}

type Splits = ReadonlyMap<string, readonly string[]>;

interface Configuration {
  readonly name: string;
  readonly isDefault: boolean;
  readonly splits: Splits;
}

/** `card` is the card's metadata, as its authors wrote it. Throws UserError naming what there is to choose from. */
export function chooseDataFiles(reference: HubDataReference, paths: readonly string[], card: unknown): ChosenFiles {
  const dataPaths = dataPathsOf(paths);
  if (dataPaths.length === 0) throw noData(reference, paths);
  const onCard = configurationsOf(card, dataPaths);
  const configurations = onCard.length > 0 ? onCard : [{ name: 'default', isDefault: true, splits: splitsByName(dataPaths) }];
  const { selection } = reference;
  const chosen = selection === null ? theUsual(reference, configurations) : theNamed(selection, configurations, paths);
  if (!chosen || chosen.length === 0) throw noSuchSelection(reference, configurations, dataPaths);
  const others = selectionsOf(configurations).filter(({ files }) => files !== chosen);
  return { paths: chosen, otherSelections: others.map(({ name }) => name) };
}

const kinds = [/\.parquet$/i, /\.(jsonl|ndjson|json)$/i, /\.csv$/i, /\.tsv$/i, /\.txt$/i];
const metadata = /(^|\/)(\.[^/]*|dataset_infos?\.json|config\.json|state\.json|(readme|license|requirements)\.txt)$|(^|\/)\./i;

/** The data files, of the kind that most of them are. */
function dataPathsOf(paths: readonly string[]): string[] {
  const byKind = kinds.map((kind) => paths.filter((path) => kind.test(path) && !metadata.test(path)).sort());
  return byKind.reduce((most, ofKind) => (ofKind.length > most.length ? ofKind : most));
}

/** The part `configs:` of the card. What is not written as the library wants it is left out. */
function configurationsOf(card: unknown, paths: readonly string[]): Configuration[] {
  const configs = asList((card as { configs?: unknown } | null | undefined)?.configs);
  return configs.flatMap((each) => {
    const { config_name, data_files, data_dir, default: isDefault } = asRecord(each);
    const name = typeof config_name === 'string' ? config_name : 'default';
    const inFolder = typeof data_dir === 'string' ? paths.filter((path) => path.startsWith(`${trimmed(data_dir)}/`)) : paths;
    const splits = data_files === undefined ? splitsByName(inFolder) : splitsOnCard(data_files, inFolder, data_dir);
    return splits.size > 0 ? [{ name, isDefault: isDefault === true || name === 'default', splits }] : [];
  });
}

/** Patterns alone are the training data; otherwise each entry names its split. */
function splitsOnCard(dataFiles: unknown, paths: readonly string[], folder: unknown): Splits {
  const entries = asList(dataFiles).map((entry) => {
    const { split, path } = typeof entry === 'string' ? { split: 'train', path: entry } : asRecord(entry);
    const patterns = asList(path).filter((pattern) => typeof pattern === 'string');
    const whole = typeof folder === 'string' ? patterns.map((pattern) => `${trimmed(folder)}/${trimmed(pattern)}`) : patterns;
    return [String(split), matching(paths, whole)] as const;
  });
  const splits = new Map<string, readonly string[]>();
  for (const [split, files] of entries) if (files.length > 0) splits.set(split, [...(splits.get(split) ?? []), ...files]);
  return splits;
}

function matching(paths: readonly string[], patterns: readonly string[]): string[] {
  const tests = patterns.map((pattern) => picomatch(trimmed(pattern)));
  return paths.filter((path) => tests.some((test) => test(path)));
}

const trimmed = (path: string) => path.replace(/^(\.?\/)+|\/+$/g, '');

/** Words that name a split, between separators, in the name of a file or of a folder above it. */
const splitWords = {
  train: 'train|training',
  validation: 'validation|valid|val|dev',
  test: 'test|testing|eval|evaluation',
} as const;

/** Without any split in the names, everything is training data; with one, what is called after none is not used. */
function splitsByName(paths: readonly string[]): Splits {
  const splits = Object.entries(splitWords).map(([split, words]) => {
    const named = new RegExp(`(^|[-._ /])(${words})([-._ /0-9]|$)`, 'i');
    return [split, paths.filter((path) => named.test(path))] as const;
  });
  const found = splits.filter(([, files]) => files.length > 0);
  if (found.length > 0) return new Map(found);
  return new Map(paths.length > 0 ? [['train', paths]] : []);
}

/** The training data of the configuration that is meant if none is named. */
function theUsual({ text }: HubDataReference, configurations: readonly Configuration[]): readonly string[] | undefined {
  const configuration = configurations.length === 1 ? configurations[0] : configurations.find(({ isDefault }) => isDefault);
  if (configuration) return trainingSplit(configuration.splits);
  const names = shownList(configurations.map(({ name }) => name));
  throw new UserError(
    'config-invalid',
    t`${text} has several configurations: ${names}. Choose one, as in ${text}:${configurations[0]!.name}.`,
  );
}

function trainingSplit(splits: Splits): readonly string[] | undefined {
  return splits.get('train') ?? (splits.size === 1 ? [...splits.values()][0] : undefined);
}

/** What a selection means, in this order: a configuration, a split of it, a file or folder. */
function theNamed(
  selection: string,
  configurations: readonly Configuration[],
  paths: readonly string[],
): readonly string[] | undefined {
  const whole = configurations.find(({ name }) => name === selection);
  if (whole) return trainingSplit(whole.splits);
  const split = selectionsOf(configurations).find(({ name, alias }) => name === selection || alias === selection);
  if (split) return split.files;
  const path = trimmed(selection);
  return paths.includes(path) ? [path] : dataPathsOf(paths.filter((each) => each.startsWith(`${path}/`)));
}

/** All splits by the names that select them; those of a configuration that need not be named have two. */
function selectionsOf(configurations: readonly Configuration[]): { name: string; alias: string; files: readonly string[] }[] {
  return configurations.flatMap(({ name, isDefault, splits }) =>
    [...splits].map(([split, files]) => {
      const alias = `${name}/${split}`;
      return { name: isDefault || configurations.length === 1 ? split : alias, alias, files };
    }),
  );
}

function noData({ text, repository }: HubDataReference, paths: readonly string[]): UserError {
  const files = shownList(paths) || t`none`;
  const converted = `${repository.name}@refs/convert/parquet`;
  return new UserError(
    'data-invalid',
    t`${text} has no Parquet, JSON, JSONL, CSV or text files, but ${files}. The hub may have converted it: try ${converted}.`,
  );
}

function noSuchSelection(
  { text }: HubDataReference,
  configurations: readonly Configuration[],
  paths: readonly string[],
): UserError {
  const names = shownList(selectionsOf(configurations).map(({ name }) => name));
  return new UserError(
    'config-invalid',
    t`${text} names no data. After OWNER/NAME: may stand ${names}, or one of the files ${shownList(paths)}.`,
  );
}

const mostShown = 20;

function shownList(names: readonly string[]): string {
  return names.slice(0, mostShown).join(', ') + (names.length > mostShown ? ', …' : '');
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
