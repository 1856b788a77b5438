import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { UserError } from '../core/errors.js';
import { hubDataReference } from '../files/hubData/reference.js';
import { isPermissionDenied, reading } from '../files/reading.js';
import { t } from '../l10n/text.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { validateRunConfig, type ConfigProblem } from '../protocol/validateRunConfig.js';
import { usualLengthOf } from './sequenceLength.js';

const largestConfigFile = 1 << 20;

/**
 * Reads run.json (comments and trailing commas allowed), applies the overrides, validates the result and fills in the defaults;
 * if the model's context is shorter than the usual length, that is the default. Relative paths become absolute. Throws
 * UserError('config-invalid') naming file, line and column of every problem.
 */
export function readRunConfig(path: string, overrides: readonly string[] = []): RunConfig {
  return parseRunConfig(readText(path), path, overrides);
}

/** Like readRunConfig, for a text that is not on disk (yet); `path` is where it belongs. */
export function parseRunConfig(text: string, path: string, overrides: readonly string[] = []): RunConfig {
  const tree = parseJson(text, path);
  const json = applyOverrides(getNodeValue(tree), overrides);
  const result = validateRunConfig(json);
  if (!result.ok) {
    const lines = result.problems.map((problem) => `${place(problem, tree, text, path, overrides)}: ${problem.message}`);
    throw new UserError('config-invalid', lines.join('\n'));
  }
  const config = resolvePaths(result.config, dirname(resolve(path)));
  if (isObject(json) && isObject(json['data']) && json['data']['max_seq_length'] !== undefined) return config;
  return { ...config, data: { ...config.data, max_seq_length: usualLengthOf(config.model) } };
}

/**
 * `--set train.max_steps=20` sets one value in a copy of the JSON. The value is parsed as JSON if possible, else taken as a
 * string. Whether the setting exists is left to validation.
 */
export function applyOverrides(json: unknown, overrides: readonly string[]): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(json ?? null));
  for (const override of overrides) applyOverride(copy, override);
  return copy;
}

function applyOverride(json: unknown, override: string): void {
  const { path, value } = parseOverride(override);
  let target = json;
  for (const key of path.slice(0, -1)) {
    if (!isObject(target)) break;
    if (!Object.hasOwn(target, key)) define(target, key, {});
    target = target[key];
  }
  if (!isObject(target))
    throw new UserError('config-invalid', t`--set ${override}: ${path.slice(0, -1).join('.')} is not a section.`);
  define(target, path.at(-1)!, value);
}

function parseOverride(override: string): { path: string[]; value: unknown } {
  const equals = override.indexOf('=');
  const path = override.slice(0, Math.max(equals, 0)).split('.');
  if (equals < 1 || path.includes('')) {
    throw new UserError('config-invalid', t`--set ${override}: expected SETTING=VALUE, such as train.max_steps=20.`);
  }
  return { path, value: jsonOrText(override.slice(equals + 1)) };
}

/** The value as JSON if it is, else the text itself. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Plain assignment would change the prototype for a key named __proto__ and hide it from validation. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = reading(path, () => readFileSync(path));
  } catch (cause) {
    if (isPermissionDenied(cause)) throw cause;
    throw new UserError('file-not-found', t`${path} could not be read. Give the path of a run.json.`, { cause });
  }
  if (bytes.length > largestConfigFile) throw new UserError('config-invalid', t`${path} is over 1 MB: it cannot be a run.json.`);
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

function parseJson(text: string, path: string): Node {
  if (!text.trim()) throw new UserError('config-invalid', t`${path} is empty. A run config needs at least model and data.path.`);
  const errors: ParseError[] = [];
  let tree: Node | undefined;
  try {
    tree = parseTree(text, errors, { allowTrailingComma: true });
  } catch (cause) {
    // The parser is recursive; only absurd nesting gets here.
    throw new UserError('config-invalid', t`${path} is nested too deeply for a run.json.`, { cause });
  }
  const first = errors[0];
  if (tree && !first) return tree;
  const words = first
    ? printParseErrorCode(first.error)
        .replace(/([a-z])([A-Z])/g, '$1 $2')
        .toLowerCase()
    : t`no value`;
  throw new UserError('config-invalid', t`${position(path, text, first?.offset ?? 0)}: not valid JSON (${words}).`);
}

function place(problem: ConfigProblem, tree: Node, text: string, path: string, overrides: readonly string[]): string {
  const override = overrides.find((given) => parseOverride(given).path.every((key, depth) => key === problem.path[depth]));
  if (override) return `--set ${override}`;
  const node = nodeAt(tree, problem.path);
  return node ? position(path, text, node.offset) : path;
}

/** The node at the path, or its nearest ancestor; for a property, the node that starts at its name. */
function nodeAt(tree: Node, path: readonly string[]): Node | undefined {
  const segments = path.map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  const found = findNodeAtLocation(tree, segments);
  return found?.parent?.type === 'property' ? found.parent : found;
}

/** `run.json:3:5`, line and column counted from 1 as in editors. */
function position(path: string, text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${path}:${before.length}:${before.at(-1)!.length + 1}`;
}

/** Resolves relative paths against `folder`. */
export function resolvePaths(config: RunConfig, folder: string): RunConfig {
  const absolute = (path: string) => resolve(folder, path.replace(/^~(?=$|[/\\])/, homedir()));
  const optional = (path: string | null) => (path === null ? null : absolute(path));
  const data = (path: string) => (hubDataReference(path, folder) ? path : absolute(path));
  // A model may be a name rather than a path; it is a path if it looks like one or something exists there.
  const isPath = /^(\.{0,2}|~|[A-Za-z]:)[/\\]|\.gguf$/.test(config.model) || existsSync(join(folder, config.model));
  return {
    ...config,
    model: isPath ? absolute(config.model) : config.model,
    data: { ...config.data, path: data(config.data.path), eval_path: config.data.eval_path && data(config.data.eval_path) },
    lora: { ...config.lora, init_from: optional(config.lora.init_from) },
  };
}
