import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { appendToFile, makeFolder, writeFileAtomically } from '../files/atomicWrite.js';
import { readJsonFile } from '../files/jsonFile.js';
import { exists, isPermissionDenied } from '../files/reading.js';
import { t } from '../l10n/text.js';
import type { DataFormat, RunConfig } from '../protocol/runConfig.js';
import { runStatuses, type RunControl, type RunState, type RunStatus } from '../protocol/run.js';
import { isLive } from '../protocol/runs.js';
import { isAlive } from './processIdentity.js';
import { readRunConfig } from './runConfigFile.js';

/** One run on disk; docs/run-directory.md describes the files. Caches nothing: every read goes to the files. */
export class RunDirectory {
  readonly path: string;

  private constructor(path: string) {
    this.path = resolve(path);
  }

  /** Creates the folder with run.json and an initial state.json. Refuses a folder that is not empty. */
  static create(path: string, config: RunConfig, initial: Partial<RunState> = {}): RunDirectory {
    if (existsSync(path) && (!statSync(path).isDirectory() || readdirSync(path).length > 0)) {
      const message = existsSync(join(path, 'state.json'))
        ? t`${path} already contains a run: resume it, or choose another folder.`
        : t`${path} is not empty: leave it alone, or choose another folder.`;
      throw new UserError('run-busy', message);
    }
    makeFolder(path);
    const run = new RunDirectory(path);
    run.writeConfig(config);
    run.writeState({ ...firstState(), ...initial });
    return run;
  }

  static open(path: string): RunDirectory {
    const run = new RunDirectory(path);
    if (!exists(run.configPath) || !exists(run.statePath)) {
      throw new UserError('file-not-found', t`${path} is not a run directory: it has no run.json and state.json.`);
    }
    return run;
  }

  get name(): string {
    return basename(this.path);
  }
  get configPath(): string {
    return join(this.path, 'run.json');
  }
  get statePath(): string {
    return join(this.path, 'state.json');
  }
  get controlPath(): string {
    return join(this.path, 'control.json');
  }
  get metricsPath(): string {
    return join(this.path, 'metrics.jsonl');
  }
  get samplesPath(): string {
    return join(this.path, 'samples.jsonl');
  }
  get logPath(): string {
    return join(this.path, 'log.txt');
  }
  get checkpointsPath(): string {
    return join(this.path, 'checkpoints');
  }
  /** The adapter as last saved, in PEFT's format. */
  get adapterPath(): string {
    return join(this.path, 'adapter');
  }
  /** The adapter with the best held-out loss; absent if nothing was evaluated. */
  get bestAdapterPath(): string {
    return join(this.path, 'adapter-best');
  }
  get tensorBoardPath(): string {
    return join(this.path, 'tensorboard');
  }

  readConfig(): RunConfig {
    return readRunConfig(this.configPath);
  }

  /** Replaces the format `auto` by the detected one, so that the adapter's prompt format stays known even if the data moves. */
  settleFormat(format: DataFormat): void {
    const config = this.readConfig();
    if (config.data.format === 'auto') this.writeConfig({ ...config, data: { ...config.data, format } });
  }

  private writeConfig(config: RunConfig): void {
    writeFileAtomically(this.configPath, `${JSON.stringify(config, null, 2)}\n`);
  }

  /** The content of state.json, or `interrupted` if it names a process at work that is gone. */
  readState(): RunState {
    const state = parseState(this.statePath);
    if (!isLive(state.status) || state.pid === null || isAlive({ pid: state.pid, start: state.processStart })) return state;
    return { ...state, status: 'interrupted', pid: null, processStart: null, message: state.message ?? state.ifKilled };
  }

  writeState(state: RunState): void {
    writeFileAtomically(this.statePath, `${JSON.stringify(state, null, 2)}\n`);
  }

  /** The command for the trainer; `run` if there is none, or if the file is invalid. */
  readControl(): RunControl['command'] {
    const control = readIfSound(this.controlPath);
    const command = isObject(control) ? control['command'] : undefined;
    return command === 'pause' || command === 'stop' ? command : 'run';
  }

  writeControl(command: RunControl['command']): void {
    writeFileAtomically(this.controlPath, `${JSON.stringify({ command } satisfies RunControl)}\n`);
  }

  /** Drops a command meant for an earlier process; one given since this process began must still be obeyed. */
  dropEarlierControl(): void {
    const given = statSync(this.controlPath, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
    if (given < performance.timeOrigin) this.writeControl('run');
  }

  /** Adds a dated line to log.txt. */
  log(line: string): void {
    appendToFile(this.logPath, `${new Date().toISOString()} ${line}\n`);
  }
}

function firstState(): RunState {
  const now = new Date().toISOString();
  return {
    status: 'preparing',
    step: 0,
    totalSteps: 0,
    epoch: 0,
    pid: null,
    processStart: null,
    ifKilled: null,
    device: '',
    startedAt: now,
    updatedAt: now,
    queuedAt: null,
    requeued: false,
    bestEvalLoss: null,
    bestStep: null,
    trainableParameters: 0,
    message: null,
  };
}

const lackedByEarlierVersions = { ifKilled: null, queuedAt: null, requeued: false };

function parseState(path: string): RunState {
  const json = readIfSound(path, isPermissionDenied);
  const state: Record<string, unknown> = { ...lackedByEarlierVersions, ...(isObject(json) && json) };
  const template: Record<string, unknown> = { ...firstState() };
  const sameTypes = Object.keys(template).every((key) => fits(state[key], template[key]));
  if (!sameTypes || !runStatuses.includes(state['status'] as RunStatus)) {
    throw new UserError('file-corrupt', t`${path} is damaged: it does not hold the state of a run.`);
  }
  return state as unknown as RunState;
}

/** Fields that start as null hold a number or a string later. */
function fits(value: unknown, example: unknown): boolean {
  if (example === null) return value === null || typeof value === 'number' || typeof value === 'string';
  return typeof value === typeof example;
}

/** Undefined if the file is missing or damaged; errors for which `told` is true are thrown. */
function readIfSound(path: string, told: (error: unknown) => boolean = () => false): unknown {
  try {
    return readJsonFile(path);
  } catch (error) {
    if (told(error)) throw error;
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
