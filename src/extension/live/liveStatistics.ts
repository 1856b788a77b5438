import * as vscode from 'vscode';
import { prefix } from '../contributions.js';
import type { InlineCompletion } from '../inlineCompletion.js';
import { setting } from '../settings.js';
import { countAccepted, countKept, countShown, lookedAtAfter, type Counts, type Writer } from './counts.js';
import { gitBranch } from './gitBranch.js';
import { drawPair } from './preference.js';
import { continues, type Suggestion } from './suggestion.js';
import { SurvivingText } from './survivingText.js';

type Kind = 'all' | 'blind';
const memoryKeys: Readonly<Record<Kind, string>> = { all: 'completionCounts.all', blind: 'completionCounts.blind' };
const acceptedCommand = `${prefix}.suggestionAccepted`;

interface Shown extends Suggestion {
  readonly writer: Writer;
  readonly kinds: readonly Kind[];
}

/** Counts what becomes of suggestions. Nothing leaves this machine: the counts are in the extension's own storage. */
export class LiveStatistics implements vscode.Disposable {
  private last: Shown | undefined;
  /** Whether the last suggestion has been accepted, so that the next one is another. */
  private isOver = true;
  /** The turns that remain of a pair: whether the adapter writes. */
  private turns: readonly boolean[] = [];
  /** Where the present turn is, and whether it has led to a suggestion. */
  private turn: { readonly place: string; readonly hasShown: boolean } | undefined;
  /** Until the backend knows whose turn it is. */
  private taking: Promise<void> | undefined;
  private readonly watched = new Map<SurvivingText, string>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly subscriptions: vscode.Disposable;

  constructor(
    private readonly completion: InlineCompletion,
    private readonly memory: vscode.Memento,
  ) {
    this.subscriptions = vscode.Disposable.from(
      vscode.commands.registerCommand(acceptedCommand, (shown: Shown) => this.accepted(shown)),
      vscode.workspace.onDidChangeTextDocument((change) => this.edited(change)),
    );
  }

  counts(kind: Kind): Counts {
    return this.memory.get<Counts>(memoryKeys[kind]) ?? [];
  }

  async wipe(): Promise<void> {
    this.forgetWatched();
    this.last = undefined;
    for (const key of Object.values(memoryKeys)) await this.memory.update(key, undefined);
  }

  /** A new blind comparison begins with nothing. */
  async wipeBlind(): Promise<void> {
    this.turns = [];
    this.turn = undefined;
    await this.memory.update(memoryKeys.blind, undefined);
  }

  /**
   * Called before a suggestion is asked for. In a blind comparison, the writer changes from place to place and after each
   * acceptance, but never where it has shown nothing yet.
   */
  async asking(document: vscode.TextDocument, position: vscode.Position): Promise<void> {
    const place = `${document.uri.toString()}#${position.line}`;
    if (!this.completion.isBlind) return;
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
    const shown: Shown = {
      document: document.uri.toString(),
      offset: document.offsetAt(range.start),
      text: insertText,
      writer,
      kinds: this.completion.isBlind ? ['all', 'blind'] : ['all'],
    };
    if (this.isOver || !continues(this.last, shown)) this.change(shown.kinds, (counts) => countShown(counts, writer));
    [this.last, this.isOver] = [shown, false];
    if (this.turn) this.turn = { ...this.turn, hasShown: true };
    item.command = { title: '', command: acceptedCommand, arguments: [shown] };
  }

  dispose(): void {
    this.forgetWatched();
    this.subscriptions.dispose();
  }

  private nextTurn(): boolean {
    if (this.turns.length === 0) this.turns = drawPair(Math.random);
    const [adapterOn, ...rest] = this.turns;
    this.turns = rest;
    return adapterOn!;
  }

  private accepted(shown: Shown): void {
    this.isOver = true;
    this.change(shown.kinds, (counts) => countAccepted(counts, shown.writer, shown.text));
    const text = new SurvivingText(shown.offset, shown.text.length);
    this.watched.set(text, shown.document);
    const branch = gitBranch(vscode.Uri.parse(shown.document));
    for (const seconds of lookedAtAfter) {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        // On another branch the text is gone for another reason.
        const isComparable = gitBranch(vscode.Uri.parse(shown.document)) === branch;
        if (isComparable)
          this.change(shown.kinds, (counts) => countKept(counts, shown.writer, seconds, shown.text.length, text.characters));
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

  private change(kinds: readonly Kind[], count: (counts: Counts) => Counts): void {
    for (const kind of kinds) void this.memory.update(memoryKeys[kind], count(this.counts(kind)));
  }

  private forgetWatched(): void {
    this.timers.forEach(clearTimeout);
    this.timers.clear();
    this.watched.clear();
  }
}
