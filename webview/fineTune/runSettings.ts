import { modelName } from '../../src/protocol/modelName.js';
import type { RunConfig } from '../../src/protocol/runConfig.js';
import { button, element } from '../shared/dom.js';
import { valueAt } from '../shared/settings.js';
import { formatSetting, settingTitle, t } from '../shared/text.js';

interface RunSettingsActions {
  readonly use: (config: RunConfig) => void;
  readonly leave: () => void;
}

/** The settings that the shown run was started with, as opposed to those of the next run, and the ways between the two. */
export class RunSettings {
  private readonly figures = element('dl', { class: 'figures' });
  private readonly use = button({
    label: t('shown.use'),
    title: t('shown.use.help'),
    onClick: () => {
      if (this.config) this.actions.use(this.config);
    },
  });
  readonly root: HTMLElement;
  private config: RunConfig | undefined;

  constructor(private readonly actions: RunSettingsActions) {
    const leave = button({ label: t('shown.leave'), icon: 'add', title: t('shown.leave.help'), onClick: actions.leave });
    this.root = element(
      'section',
      { class: 'run-settings', 'aria-label': t('shown.settings') },
      this.figures,
      element('div', { class: 'run-settings-buttons' }, this.use, leave),
    );
  }

  /** `config` is undefined until it has arrived. `editable`: whether there is a text that could take the settings. */
  update(config: RunConfig | undefined, editable: boolean): void {
    this.use.disabled = !config || !editable;
    if (config === this.config) return;
    this.config = config;
    this.figures.replaceChildren(...(config ? summary(config) : []));
  }
}

const shownPaths = [
  ['data', 'max_seq_length'],
  ['lora', 'r'],
  ['lora', 'alpha'],
  ['lora', 'dropout'],
  ['train', 'learning_rate'],
  ['train', 'batch_size'],
  ['train', 'gradient_accumulation_steps'],
] as const;

function summary(config: RunConfig): HTMLElement[] {
  const { model, data, lora, train } = config;
  const length = train.max_steps === null ? 'num_epochs' : 'max_steps';
  return [
    figure(settingTitle(['model']), modelName(model), model),
    figure(settingTitle(['data', 'path']), lastPart(data.path), data.path),
    figure(t('shown.method'), lora.use_rslora ? 'LoRA (rsLoRA)' : 'LoRA', ''),
    ...[...shownPaths, ['train', length], ['lora', 'target_modules']].map((path) =>
      figure(settingTitle(path), formatSetting(valueAt(config, path)), ''),
    ),
  ];
}

function figure(name: string, value: string, whole: string): HTMLElement {
  return element('div', { title: whole || null }, element('dt', {}, name), element('dd', {}, value));
}

/** The part of a path that tells it from others. */
function lastPart(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}
