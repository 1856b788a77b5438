import * as vscode from 'vscode';
import { prefix } from '../contributions.js';
import type { InlineCompletion } from '../inlineCompletion.js';
import { lookedAtAfter, type Comparison, type Writer } from '../../protocol/completionStatistics.js';
import { setting } from '../settings.js';
import { accepted, countFor, countIn, kept, shown, type ComparisonCounts, type Count, type Counts } from './counts.js';
import { gitBranch } from './gitBranch.js';
import { continues, type Suggestion } from './suggestion.js';
import { SurvivingText } from './survivingText.js';
import { drawPair, type Turn } from './turns.js';

const memoryKeys = { all: 'completionCounts.all', comparisons: 'completionCounts.comparisons' } as const;
const acceptedCommand = `${prefix}.suggestionAccepted`;

interface Shown extends Suggestion {
  readonly writer: Writer;
  /** In which it was shown. */
  readonly comparison: Comparison | undefined;
}

/** Counts what becomes of suggestions. Nothing leaves this machine: the counts are in the extension's own storage. */
export class LiveStatistics implements vscode.Disposable {
  private last: Shown | undefined;
  /** Whether the last suggestion has been accepted, so that the next one is another. */
  private isOver = true;
  /** Those that remain of a pair. */
  private turns: readonly Turn[] = [];
  /** Where the present turn is, and whether it has led to a suggestion. */
  private turn: { readonly place: string; readonly hasShown: boolean } | undefined;
  /** Until the backend knows whose turn it is. */
  private taking: Promise<void> | undefined;
  private readonly watched = new Map<SurvivingText, string>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly changed = new vscode.EventEmitter<void>();
  /** Fires when something has been counted or wiped. */
  readonly onDidChange = this.changed.event;
  private readonly subscriptions: vscode.Disposable;

  constructor(
    private readonly completion: InlineCompletion,
    private readonly memory: vscode.Memento,
  ) {
    this.subscriptions = vscode.Disposable.from(
      this.changed,
      vscode.commands.registerCommand(acceptedCommand, (suggestion: Shown) => this.accepted(suggestion)),
      vscode.workspace.onDidChangeTextDocument((change) => this.edited(change)),
    );
  }

  /** By each writer, in blind comparisons and otherwise. */
  get counts(): Counts {
    return this.memory.get<Counts>(memoryKeys.all) ?? [];
  }

  /** The newest is the last. */
  get comparisons(): readonly ComparisonCounts[] {
    return this.memory.get<readonly ComparisonCounts[]>(memoryKeys.comparisons) ?? [];
  }

  async wipe(): Promise<void> {
    this.forgetWatched();
    this.last = undefined;
    for (const key of Object.values(memoryKeys)) await this.memory.update(key, undefined);
    this.changed.fire();
  }

  /** Counts on in a comparison that was stopped. */
  async goOnComparing({ startedAt, arms: [first, second] }: ComparisonCounts): Promise<void> {
    const writer = ({ model, adapter }: Writer): Writer => ({ model, adapter });
    await this.compareBlindly({ startedAt, writers: [writer(first), writer(second)] });
  }

  async compareBlindly(comparison: Comparison): Promise<void> {
    this.turns = [];
    this.turn = undefined;
    await this.completion.compareBlindly(comparison);
  }

  /**
   * Called before a suggestion is asked for. In a blind comparison, the writer changes from place to place and after each
   * acceptance, but never where it has shown nothing yet.
   */
  async asking(document: vscode.TextDocument, position: vscode.Position): Promise<void> {
    const place = `${document.uri.toString()}#${position.line}`;
    if (!this.completion.comparison) return;
    if (this.turn?.place === place && !this.isOver) return this.taking;
    const isNext = this.turn?.hasShown !== false;
    this.turn = { place, hasShown: false };
    if (isNext) this.taking = this.completion.takeTurn(this.nextTurn()).catch(() => undefined);
    await this.taking;
  }

  /** Called with what was suggested and is about to be shown. */
  suggested(document: vscode.TextDocument, item: vscode.InlineCompletionItem): void {
    const writer = this.completion.writer;
    const { range, insertText } = item;
    if (!setting('inlineCompletion.statistics') || !writer || !range || typeof insertText !== 'string') return;
    const suggestion: Shown = {
      document: document.uri.toString(),
      offset: document.offsetAt(range.start),
      text: insertText,
      writer,
      comparison: this.completion.comparison,
    };
    if (this.isOver || !continues(this.last, suggestion)) this.count(suggestion, shown);
    [this.last, this.isOver] = [suggestion, false];
    if (this.turn) this.turn = { ...this.turn, hasShown: true };
    item.command = { title: '', command: acceptedCommand, arguments: [suggestion] };
  }

  dispose(): void {
    this.forgetWatched();
    this.subscriptions.dispose();
  }

  private nextTurn(): Turn {
    if (this.turns.length === 0) this.turns = drawPair(Math.random);
    const [turn, ...rest] = this.turns;
    this.turns = rest;
    return turn!;
  }

  private accepted(suggestion: Shown): void {
    this.isOver = true;
    this.count(suggestion, accepted(suggestion.text));
    const { document, offset } = suggestion;
    const { length } = suggestion.text;
    const text = new SurvivingText(offset, length);
    this.watched.set(text, document);
    const branch = gitBranch(vscode.Uri.parse(document));
    for (const seconds of lookedAtAfter) {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        // On another branch the text is gone for another reason.
        const isComparable = gitBranch(vscode.Uri.parse(document)) === branch;
        if (isComparable) this.count(suggestion, kept(seconds, { lookedAt: length, kept: text.characters }));
        if (!isComparable || seconds === lookedAtAfter.at(-1)) this.watched.delete(text);
      }, seconds * 1000);
      this.timers.add(timer);
    }
  }

  private edited({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    if (this.watched.size === 0) return;
    const uri = document.uri.toString();
    for (const [text, of] of this.watched) {
      if (of !== uri) continue;
      // Later places come first, so that no change moves another.
      for (const { rangeOffset, rangeLength, text: inserted } of [...contentChanges].sort(
        (a, b) => b.rangeOffset - a.rangeOffset,
      ))
        text.edit({ offset: rangeOffset, removed: rangeLength, inserted: inserted.length });
    }
  }

  private count({ writer, comparison }: Shown, count: Count): void {
    void this.memory.update(memoryKeys.all, countFor(this.counts, writer, count));
    if (comparison) void this.memory.update(memoryKeys.comparisons, countIn(this.comparisons, comparison, writer, count));
    this.changed.fire();
  }

  private forgetWatched(): void {
    this.timers.forEach(clearTimeout);
    this.timers.clear();
    this.watched.clear();
  }
}
