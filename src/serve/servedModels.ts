import { basename, dirname } from 'node:path';
import { UserError } from '../core/errors.js';
import { t } from '../l10n/text.js';
import { HttpError } from './httpError.js';

/** An adapter's folder, and its name if it was given one. */
export interface ServedAdapter {
  readonly path: string;
  readonly name?: string;
}

/** What clients call a model: the base, or an adapter on it. */
export interface ServedModel {
  readonly name: string;
  /** Null is the base alone. */
  readonly adapter: string | null;
}

/** The names under which the base and its adapters are asked for. */
export class ServedModels {
  private readonly byName: ReadonlyMap<string, ServedModel>;

  constructor(
    readonly base: string,
    adapters: readonly ServedAdapter[],
  ) {
    const served = [{ name: base, adapter: null }, ...adapters.map(({ path, name = nameOf(path) }) => ({ name, adapter: path }))];
    this.byName = new Map(served.map((each) => [each.name, each]));
    const twice = served.find((each) => this.byName.get(each.name) !== each);
    if (twice) throw new UserError('config-invalid', t`Two models would be called ${twice.name}. Name an adapter: NAME=PATH.`);
  }

  all(): readonly ServedModel[] {
    return [...this.byName.values()];
  }

  /** A request that names none means the first adapter or, without adapters, the base: some clients cannot name one. */
  get(name: string | undefined): ServedModel {
    const found = name === undefined || name === '' ? (this.all()[1] ?? this.all()[0]) : this.byName.get(name);
    if (found) return found;
    const known = [...this.byName.keys()].join(', ');
    throw new HttpError(404, `There is no model "${name}" here. Known are: ${known}.`, {
      code: 'model_not_found',
      param: 'model',
    });
  }
}

/** A run's adapter is named after the run's folder, because "adapter" says nothing. */
function nameOf(path: string): string {
  const last = basename(path);
  return /^adapter(-best)?$/.test(last) ? `${basename(dirname(path))}${last.slice('adapter'.length)}` : last;
}
