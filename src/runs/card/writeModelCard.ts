import { basename, dirname, join, resolve } from 'node:path';
import { writeFileAtomically } from '../../files/atomicWrite.js';
import { readSmallFile } from '../../files/fileSource.js';
import { exists } from '../../files/reading.js';
import type { ExportRequest, ExportResult } from '../../protocol/export.js';
import type { MergeRequest, MergeResult } from '../../protocol/mergeAdapters.js';
import { runName } from '../../protocol/runName.js';
import { lossCurve, type LossCurve } from '../lossCurve.js';
import { readMetrics } from '../metricsFile.js';
import { RunDirectory } from '../runDirectory.js';
import { readLabels } from '../runLabels.js';
import { lossPicture } from './lossPicture.js';
import { cardMarker, type CardBase, type CardSource } from './cardParts.js';
import { modelCard, type CardFacts } from './modelCard.js';
import { hubName, licenseOf } from './modelOrigin.js';
import { sumCard } from './sumCard.js';

const cardFile = 'README.md';
const pictureFile = 'loss.svg';
const largestCard = 1 << 22;

/** Describes the run's adapter in `folder`: README.md and the loss curve. A README.md that is not ours is left alone. */
export function writeModelCard(run: RunDirectory, folder: string, isBest: boolean, form: CardFacts['form'] = 'peft'): void {
  if (!mayReplace(join(folder, cardFile))) return;
  const curve = lossCurve(readMetrics(run.metricsPath));
  const picture = lossPicture(curve);
  if (picture !== null) writeFileAtomically(join(folder, pictureFile), picture);
  writeFileAtomically(join(folder, cardFile), modelCard({ ...cardFacts(run, curve, isBest, picture !== null), form }));
}

/** Cards for both of a run's adapters. */
export function writeModelCards(run: RunDirectory): void {
  if (exists(run.adapterPath)) writeModelCard(run, run.adapterPath, false);
  if (exists(run.bestAdapterPath)) writeModelCard(run, run.bestAdapterPath, true);
}

/** The card of what was exported to a folder, if it is a run's adapter. */
export function writeExportedCard({ adapter, to }: ExportRequest, { out }: Pick<ExportResult, 'out'>): void {
  if (adapter === null || (to !== 'peft' && to !== 'merged')) return;
  const folder = dirname(resolve(adapter));
  if (!exists(join(folder, 'state.json'))) return;
  writeModelCard(RunDirectory.open(folder), out, basename(adapter) === 'adapter-best', to);
}

/** The card of a sum of adapters, in the sum's folder. */
export function writeSumCard({ adapters }: MergeRequest, result: MergeResult): void {
  const card = sumCard({
    name: basename(result.out),
    base: result.baseModel === null ? null : baseOf(result.baseModel),
    terms: adapters.map(({ path, weight }) => ({ name: adapterName(path), weight })),
    result,
  });
  writeFileAtomically(join(result.out, cardFile), card);
}

/** A run's adapter is known by the run. */
function adapterName(folder: string): string {
  const path = resolve(folder);
  return basename(/^adapter(-best)?$/.test(basename(path)) ? dirname(path) : path);
}

function mayReplace(path: string): boolean {
  return !exists(path) || new TextDecoder().decode(readSmallFile(path, largestCard)).includes(cardMarker);
}

function cardFacts(run: RunDirectory, curve: LossCurve, isBest: boolean, hasPicture: boolean): Omit<CardFacts, 'form'> {
  const config = run.readConfig();
  const state = run.readState();
  const labels = readLabels(run.path);
  const metrics = readMetrics(run.metricsPath);
  const [before] = curve.heldOut;
  const after = isBest ? curve.heldOut.find(({ step }) => step === state.bestStep) : curve.heldOut.at(-1);
  return {
    name: labels.name ?? runName(config),
    note: labels.note,
    config,
    base: baseOf(config.model),
    data: sourceOf(config.data.path),
    step: state.step,
    tokens: metrics.findLast((metric) => 'tokens' in metric)?.tokens ?? 0,
    heldOut: before?.step === 0 && after && after.step > 0 ? { before, after } : null,
    picture: hasPicture ? pictureFile : null,
  };
}

function baseOf(model: string): CardBase {
  return { ...sourceOf(model), license: licenseOf(model) };
}

/** Paths tell about the machine they are on, so only their last part is published. */
function sourceOf(path: string): CardSource {
  const known = hubName(path);
  return { name: known?.split('/')[1] ?? basename(resolve(path)), hubName: known };
}
