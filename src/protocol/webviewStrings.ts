import { presets } from './presets.js';
import { runConfigSchema, type SettingSchema } from './runConfigSchema.js';

/** What the webviews say, in English. Translations have the same keys; {0}, {1} … stand for what is filled in. */
const phrases = {
  'app.waiting': 'Waiting for LoRA Workbench…',
} as const;

/** `setting.lora.r` and `setting.lora.r.help` for every setting, in the words of the schema. */
function settingStrings(schema: SettingSchema, path: readonly string[]): [string, string][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, setting]) => {
    const name = ['setting', ...path, key].join('.');
    const title = setting.title ?? key;
    return [
      [name, title.charAt(0).toUpperCase() + title.slice(1)],
      [`${name}.help`, setting.description ?? ''],
      ...settingStrings(setting, [...path, key]),
    ];
  });
}

function presetStrings(): [string, string][] {
  return presets.flatMap(({ id, title, description }) => [
    [`preset.${id}`, title],
    [`preset.${id}.help`, description],
  ]);
}

export type PhraseKey = keyof typeof phrases;

export const webviewStrings: Readonly<Record<string, string>> = {
  ...phrases,
  ...Object.fromEntries([...settingStrings(runConfigSchema, []), ...presetStrings()]),
};
