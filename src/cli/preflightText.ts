import type {
  DataSummary,
  FilesOfData,
  LeftOutKind,
  PreflightReport,
  SampleSequence,
  StepEstimate,
} from '../protocol/preflight.js';
import type { Output } from './output.js';
import { bytes, duration, integer, large, plural, table } from './format.js';

/** The numbers of a pre-flight report: the data, the device, the time and the memory. */
export function preflightSummary(report: PreflightReport): string {
  const { device, trainableParameters, totalSteps, training, evaluation, estimate } = report;
  const perStep = estimate.secondsPerStep < 10 ? estimate.secondsPerStep.toFixed(1) : estimate.secondsPerStep.toFixed(0);
  return table([
    ['To learn from', dataInWords(training)],
    ['Held out', evaluation ? dataInWords(evaluation) : 'nothing: no held-out loss will be measured'],
    ...fileRows(report),
    ...(report.skippedCount > 0 ? ([['Skipped', plural(report.skippedCount, 'record')]] as const) : []),
    ['Adapter', `${large(trainableParameters)} trainable parameters`],
    ['Device', device],
    ['Time', `about ${duration(estimate.totalSeconds)}: ${plural(totalSteps, 'step')} of ${perStep} s, and the evaluations`],
    ['Memory', memoryInWords(estimate)],
  ]);
}

const filesShown = 5;
const kinds: Readonly<Record<LeftOutKind, string>> = {
  credential: 'with keys, tokens or passwords in them',
  hidden: 'hidden',
  secret: 'keys and credentials',
  vendored: 'code of others',
  generated: 'generated',
  data: 'data',
  document: 'documents',
  binary: 'binary',
  otherFormat: 'of another format',
  notIncluded: 'not included by the settings',
  large: 'larger than 1 MB',
  minified: 'minified',
  empty: 'empty',
  duplicate: 'equal to others',
  nearDuplicate: 'almost equal to others',
  copied: 'repeating training files, so not held out',
  older: 'older, beyond data.max_tokens',
};

/** How files were chosen to be held out. */
const choices: Readonly<Record<NonNullable<FilesOfData['heldOutBy']>, string>> = {
  git: 'the newest by git history',
  modified: 'those changed last on disk, for there is no git history',
  seed: 'drawn by the seed',
};

/** Table rows about a data folder: which files have the most tokens, and what was left out. */
export function fileRows({
  files,
  fileCount,
  languages,
  folders,
  heldOutBy,
  leftOut,
}: FilesOfData): (readonly [string, string])[] {
  if (fileCount === 0) return [];
  const first = files.slice(0, filesShown).map(({ path, tokens }) => ['', `${path}: ${plural(tokens, 'token')}`] as const);
  const more = fileCount - first.length;
  return [
    ['Files', `${integer(fileCount)}, most tokens first:`],
    ...first,
    ...(more > 0 ? [['', `and ${integer(more)} more`] as const] : []),
    ...(languages.length > 0 ? [['Languages', partsInWords(languages)] as const] : []),
    ...(folders.length > 1 ? [['Folders', partsInWords(folders)] as const] : []),
    ...(heldOutBy === null
      ? []
      : [['Held-out files', `${integer(files.filter(({ heldOut }) => heldOut).length)}: ${choices[heldOutBy]}`] as const]),
    ...leftOutRows(leftOut),
  ];
}

/** How many files were left out, by reason. */
export function leftOutRows(leftOut: FilesOfData['leftOut']): (readonly [string, string])[] {
  const counts = leftOut.map(({ kind, count }) => `${integer(count)} ${kinds[kind]}`);
  return counts.length > 0 ? [['Left out', counts.join(', ')]] : [];
}

const partsShown = 8;

function partsInWords(parts: FilesOfData['languages']): string {
  const all = parts.reduce((sum, { tokens }) => sum + tokens, 0);
  const shown = parts
    .slice(0, partsShown)
    .map(({ name, tokens }) => `${name} ${Math.round((100 * tokens) / Math.max(1, all))} %`);
  return [...shown, ...(parts.length > partsShown ? [`and ${integer(parts.length - partsShown)} more`] : [])].join(', ');
}

/** Files with credentials, each with its line and the rule: their owner should know, whatever is trained. */
export function credentialWarnings({ leftOut }: Pick<FilesOfData, 'leftOut'>): string[] {
  const found = leftOut.find(({ kind }) => kind === 'credential')?.files ?? [];
  return found.map(({ path, line, detail }) => `left out ${path}:${line}: a secret is in it (${detail})`);
}

function memoryInWords({ peakMemoryBytes, expectedMemoryBytes, expectedDeviceBytes }: StepEstimate): string {
  const onDevice = expectedDeviceBytes > 0 ? `, and ${bytes(expectedDeviceBytes)} on the GPU` : '';
  return `${bytes(expectedMemoryBytes)} expected at the peak${onDevice}; ${bytes(peakMemoryBytes)} measured so far`;
}

function dataInWords({ examples, tokens, labelTokens, medianLength, longestLength, truncated }: DataSummary): string {
  const lengths = `length ${integer(medianLength)} in the middle, ${integer(longestLength)} at most`;
  const cut = truncated > 0 ? `, ${integer(truncated)} cut off` : '';
  return `${plural(examples, 'example')}, ${integer(tokens)} tokens (the loss counts ${integer(labelTokens)}), ${lengths}${cut}`;
}

const skippedShown = 10;

/** Lists skipped records and warnings; empty if there are none. */
export function preflightConcerns(report: PreflightReport): string[] {
  const { skipped, skippedCount, warnings } = report;
  const shown = skipped.slice(0, skippedShown).map(({ origin, reason }) => `skipped ${origin}: ${reason}`);
  const more = skippedCount - shown.length;
  return [
    ...credentialWarnings(report),
    ...shown,
    ...(more > 0 ? [`… and ${plural(more, 'more record')} skipped`] : []),
    ...warnings.map((text) => `warning: ${text}`),
  ];
}

/** Shows a sequence token by token, separated by │. Tokens that the loss counts are green or, without colour, in [ ]. */
export function sampleText({ origin, tokens }: SampleSequence, output: Output): string {
  const marks = output.colour ? 'the loss counts the green ones' : 'the loss counts those in [brackets]';
  const pieces = tokens.map(({ text, learned }, index) => {
    const next = tokens[index + 1];
    const shown = visible(text);
    if (output.colour) return { text: `${shown}│`, painted: `${learned ? green + shown + plain : shown}${output.faint('│')}` };
    const opening = learned && !tokens[index - 1]?.learned ? '[' : '';
    const marked = opening + shown + (learned && !next?.learned ? ']' : '│');
    return { text: marked, painted: marked };
  });
  return [`  ${origin} token by token; ${marks}:`, ...tokenLines(pieces, Math.min(output.width, 120) - 4)].join('\n');
}

/** Breaks lines only between tokens, because spaces are part of the tokens. */
function tokenLines(pieces: readonly { text: string; painted: string }[], width: number): string[] {
  const lines: string[] = [];
  let length = Infinity;
  for (const { text, painted } of pieces) {
    if (length + text.length > width) {
      lines.push('    ');
      length = 0;
    }
    lines[lines.length - 1] += painted;
    length += text.length;
  }
  return lines;
}

const green = '\u001b[32m';
const plain = '\u001b[39m';

function visible(text: string): string {
  return text
    .replaceAll('\n', '↵')
    .replaceAll('\t', '→')
    .replaceAll(/\p{Cc}/gu, '�');
}
