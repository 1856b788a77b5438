import { lintSource } from '@secretlint/core';
import { secretLintProfiler } from '@secretlint/profiler';
import { creator as recommendedRules } from '@secretlint/secretlint-rule-preset-recommend';

export interface SecretFound {
  /** The scanner's name for the kind of secret, such as `github`. */
  readonly rule: string;
  /** Counted from 1. */
  readonly line: number;
}

// It keeps every mark and searches them all at the next one: with thousands of files, this would take minutes.
secretLintProfiler.mark = () => undefined;

const preset = '@secretlint/secretlint-rule-preset-recommend';

/** The first credential in a file, by the rules that secretlint recommends (https://github.com/secretlint/secretlint). */
export async function findSecret(path: string, text: string): Promise<SecretFound | undefined> {
  const { messages } = await lintSource({
    source: { content: text, filePath: path, ext: path.slice(path.lastIndexOf('.')), contentType: 'text' },
    options: { noPhysicFilePath: true, config: { rules: [{ id: preset, rule: recommendedRules }] } },
  });
  const first = messages.filter(({ severity }) => severity === 'error').sort((a, b) => a.range[0] - b.range[0])[0];
  return first && { rule: first.ruleId.replace(/^.*secretlint-rule-/, ''), line: first.loc.start.line };
}
