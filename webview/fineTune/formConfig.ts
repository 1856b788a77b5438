import { settingSchema } from '../../src/protocol/runConfigSchema.js';
import { isRecord } from '../../src/protocol/guard.js';
import type { ConfigDocument, ConfigEdit } from '../../src/protocol/views/fineTune.js';
import { post } from '../shared/host.js';
import { valueAt } from '../shared/settings.js';
import { settingProblem } from '../shared/settingProblem.js';

export type SettingPath = readonly string[];

/** While typing, edits are posted at most this often, in milliseconds. */
const editPause = 200;

/**
 * The run config as the form sees it: the document's, with the form's own edits on top until the document includes them.
 * Once it has caught up, the document wins.
 */
export class FormConfig {
  private config: Readonly<Record<string, unknown>> = {};
  private lastEdit = 0;
  private pending: ConfigEdit[] = [];
  private timer: number | undefined;

  constructor(private readonly onChange: () => void) {}

  receive(document: ConfigDocument): void {
    if (document.kind !== 'parsed') return;
    if (this.pending.length > 0 || document.throughEdit < this.lastEdit) return;
    this.lastEdit = document.throughEdit;
    this.config = document.config;
    this.onChange();
  }

  /** The value as written, else the default. */
  get(path: SettingPath): unknown {
    const written = this.written(path);
    return written === undefined ? settingSchema(path)?.default : written;
  }

  /** Undefined if the document leaves the setting out. */
  written(path: SettingPath): unknown {
    return valueAt(this.config, path);
  }

  number(path: SettingPath): number {
    const value = this.get(path);
    return typeof value === 'number' ? value : Number.NaN;
  }

  problem(path: SettingPath): string | null {
    const written = this.written(path);
    const schema = settingSchema(path);
    if (!schema) return null;
    return written === undefined && schema.default !== undefined ? null : settingProblem(schema, written);
  }

  set(path: SettingPath, value: unknown): void {
    this.edit([{ path, value }]);
  }

  /** Changes that belong together are posted together. */
  edit(edits: readonly ConfigEdit[]): void {
    this.config = edits.reduce((config, { path, value }) => withValue(config, path, value), this.config);
    for (const edit of edits) {
      this.pending = this.pending.filter((other) => other.path.join('.') !== edit.path.join('.'));
      this.pending.push(edit);
    }
    this.timer ??= window.setTimeout(() => {
      this.flush();
    }, editPause);
    this.onChange();
  }

  /** Posts pending edits; call it before anything that relies on the document. */
  flush(): void {
    window.clearTimeout(this.timer);
    this.timer = undefined;
    if (this.pending.length === 0) return;
    post({ type: 'edit', edit: ++this.lastEdit, edits: this.pending });
    this.pending = [];
  }
}

function withValue(
  config: Readonly<Record<string, unknown>>,
  [key, ...rest]: SettingPath,
  value: unknown,
): Readonly<Record<string, unknown>> {
  if (key === undefined) return config;
  const inner = config[key];
  return { ...config, [key]: rest.length === 0 ? value : withValue(isRecord(inner) ? inner : {}, rest, value) };
}
