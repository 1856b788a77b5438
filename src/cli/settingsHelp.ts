import { runConfigSchema, type SettingSchema } from '../protocol/runConfigSchema.js';
import { wrapText } from './columns.js';

/** Lists every setting of run.json with its default and description, taken from the schema. */
export function settingsHelp(width: number): string {
  const settings = leaves(runConfigSchema, '');
  const indent = 6;
  const lines = settings.flatMap(({ name, schema }) => [
    `  ${name}  ${defaultOf(schema)}`,
    ...wrapText(schema.description ?? '', width - indent).map((line) => ' '.repeat(indent) + line),
  ]);
  return ['', 'Settings of run.json:', ...lines].join('\n');
}

function leaves(schema: SettingSchema, prefix: string): { name: string; schema: SettingSchema }[] {
  return Object.entries(schema.properties ?? {})
    .filter(([key]) => key !== '$schema')
    .flatMap(([key, child]) =>
      child.properties ? leaves(child, `${prefix}${key}.`) : [{ name: `${prefix}${key}`, schema: child }],
    );
}

function defaultOf(schema: SettingSchema): string {
  const choices = schema.enum ? `${schema.enum.join(' | ')}, ` : '';
  return schema.default === undefined ? '(required)' : `(${choices}default ${JSON.stringify(schema.default)})`;
}
