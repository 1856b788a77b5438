import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { chooseFiles, detectFormat, type FormatName } from './detectFormat.js';
import type { LeftOut } from './fileRules.js';
import { readSequences, type ReadSequence } from './readSequences.js';
import { skippedShown, type FileUse } from './report.js';
import type { EncodingContext } from './sequence.js';
import type { DataFile, DataFiles, HeldOutFiles, Skipped } from './source.js';

export interface PlaceRead {
  readonly format: FormatName;
  /** Null unless the place is a folder. */
  readonly folder: string | null;
  readonly records: readonly ReadSequence[];
  /** Empty unless the place is a folder. */
  readonly files: readonly FileUse[];
  readonly leftOut: readonly LeftOut[];
  readonly heldOut: HeldOutFiles | undefined;
}

/** Reads places one after another and keeps track of what was skipped. */
export class PlaceReader {
  readonly skipped: Skipped[] = [];
  skippedCount = 0;
  private recordCount = 0;

  constructor(
    private readonly context: EncodingContext,
    private readonly files: DataFiles,
    private readonly onRecord: ((records: number) => void) | undefined,
  ) {}

  read(path: string, wanted: FormatName | 'auto', maxTokens: number | null = null): PlaceRead {
    const place = this.files.open(path);
    const format = wanted === 'auto' ? detectFormat(place) : wanted;
    const problems = new Problems();
    const heldOut = place.kind === 'folder' ? place.heldOut : undefined;
    if (place.kind === 'folder') place.skipped.forEach((skipped) => problems.add(skipped));
    const folder = place.kind === 'folder' ? place.path : null;
    const { files, leftOut } = chooseFiles(place, format);
    const records: ReadSequence[] = [];
    const uses: FileUse[] = [];
    const older: LeftOut[] = [];
    const budget = new TokenBudget(folder !== null && format === 'code' ? maxTokens : null);
    for (const file of files) {
      const isHeldOut = heldOut?.paths.has(file.path) ?? false;
      const ofFile = budget.isSpent && !isHeldOut ? null : this.recordsOf(file, format, folder, problems);
      const use = ofFile && fileUse(file.path, ofFile, isHeldOut);
      if (!use || !(isHeldOut || budget.spend(use.tokens))) {
        older.push({ path: file.path, kind: 'older' });
        continue;
      }
      records.push(...ofFile);
      if (folder !== null && ofFile.length > 0) uses.push(use);
    }
    if (records.length === 0) throw nothingUsable(path, format, problems, leftOut.length);
    this.skippedCount += problems.count;
    this.skipped.push(...problems.first.slice(0, skippedShown - this.skipped.length));
    return { format, folder, records, files: uses, leftOut: [...leftOut, ...older], heldOut };
  }

  private recordsOf(file: DataFile, format: FormatName, folder: string | null, problems: Problems): ReadSequence[] {
    const records: ReadSequence[] = [];
    for (const result of readSequences(file, format, this.context, folder)) {
      if ('reason' in result) problems.add(result);
      else records.push(this.checked(result));
      this.onRecord?.(++this.recordCount);
    }
    return records;
  }

  /** A tokenizer may have more tokens than the model has embedding rows. */
  private checked(record: ReadSequence): ReadSequence {
    const { vocabSize, tokenizer } = this.context;
    for (const { inputIds } of record.sequences) {
      const outside = inputIds.find((id) => id >= vocabSize);
      if (outside === undefined) continue;
      throw new UserError(
        'data-invalid',
        t`${record.origin} makes the token ${JSON.stringify(tokenizer.tokenText(outside))} with the id ${outside}, but the model's vocabulary ends at ${vocabSize - 1}: tokenizer and model do not belong together.`,
      );
    }
    return record;
  }
}

/** What files may still have together. The first one is never too much, or there would be nothing to learn from. */
class TokenBudget {
  isSpent = false;
  private spent = 0;

  constructor(private readonly most: number | null) {}

  /** Whether a file with so many tokens is within the budget; after one that is not, none is. */
  spend(tokens: number): boolean {
    this.isSpent = this.most !== null && this.spent > 0 && this.spent + tokens > this.most;
    if (!this.isSpent) this.spent += tokens;
    return !this.isSpent;
  }
}

/** Counts all problems but keeps only the first ones: a file may have any number of broken lines. */
class Problems {
  readonly first: Skipped[] = [];
  count = 0;

  add(problem: Skipped): void {
    this.count++;
    if (this.first.length < skippedShown) this.first.push(problem);
  }
}

function fileUse(path: string, records: readonly ReadSequence[], heldOut: boolean): FileUse {
  const sequences = records.flatMap((record) => record.sequences);
  const tokens = sequences.reduce((sum, { inputIds }) => sum + inputIds.length, 0);
  return { path, examples: sequences.length, tokens, heldOut };
}

function nothingUsable(path: string, format: FormatName, problems: Problems, leftOutCount: number): UserError {
  const [first] = problems.first;
  const problem = first
    ? t`The first of ${problems.count} problems is in ${first.origin}: ${first.reason}.`
    : nothingIn(leftOutCount);
  return new UserError('data-invalid', t`${path} has no usable example, read as ${format} data. ${problem}`);
}

function nothingIn(leftOutCount: number): string {
  if (leftOutCount === 0) return t`There is nothing in it.`;
  return leftOutCount === 1
    ? t`One file or folder in it was left out because it is hidden, secret, third-party or of another kind. To use a file anyway, choose that file.`
    : t`${leftOutCount} files and folders in it were left out because they are hidden, secret, third-party or of another kind. To use a file anyway, choose that file.`;
}
