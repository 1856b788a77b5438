/**
 * @file Files that are still being downloaded: BLOB.PROCESS-NUMBER.incomplete. Each has one writer; one whose process is gone, or
 * has given up, is continued by the next download of the same blob.
 */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isRunning } from '../isRunning.js';

const inUse = new Set<string>();
let count = 0;

/** Takes over the longest abandoned part of a blob under a name of its own; there is no file yet if there is no such part. */
export function claimPart(blob: string): string {
  const own = `${blob}.${process.pid}-${++count}.incomplete`;
  inUse.add(own);
  for (const part of abandonedParts(blob)) {
    try {
      renameSync(part, own);
      break;
    } catch {
      // Another process was faster.
    }
  }
  return own;
}

/** Leaves the part to the next download. */
export function releasePart(part: string): void {
  inUse.delete(part);
}

/** Removes the parts of a blob that is complete now. */
export function removeAbandonedParts(blob: string): void {
  for (const part of abandonedParts(blob)) rmSync(part, { force: true });
}

/** How much of a blob an earlier download left. */
export function abandonedBytes(blob: string): number {
  const [longest] = abandonedParts(blob);
  return longest === undefined ? 0 : statSync(longest).size;
}

/** The longest first. */
function abandonedParts(blob: string): string[] {
  const folder = dirname(blob);
  if (!existsSync(folder)) return [];
  const sizes = new Map<string, number>();
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (isAbandoned(path, writerOf(name, basename(blob)))) sizes.set(path, statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  }
  return [...sizes.keys()].sort((a, b) => sizes.get(b)! - sizes.get(a)!);
}

/** The process that writes a part of the blob; undefined for other files. */
function writerOf(name: string, blob: string): number | undefined {
  const pid = name.startsWith(`${blob}.`) ? /^(\d+)-\d+\.incomplete$/.exec(name.slice(blob.length + 1))?.[1] : undefined;
  return pid === undefined ? undefined : Number(pid);
}

function isAbandoned(path: string, writer: number | undefined): boolean {
  if (writer === undefined) return false;
  return writer === process.pid ? !inUse.has(path) : !isRunning(writer);
}
