import { modelName } from '../../src/protocol/modelName.js';
import type { SweepPlan } from '../../src/protocol/views/sweep.js';
import { button, element, setText } from '../shared/dom.js';
import { post, type Receiver } from '../shared/host.js';
import { valueAt } from '../shared/settings.js';
import { counted, formatBytes, formatDuration, formatNumber, formatValue, settingName, settingTitle, t } from '../shared/text.js';
import { estimateOf, runCount } from './planEstimate.js';
import { nextSetting, parametersOf, valuesOf, variedWith, type PlanState, type Varied } from './planState.js';
import { VariedField } from './variedField.js';

/** As many runs as a sweep may have. */
const maxRuns = 200;
/** Only the best third goes on, as in the paper's experiments. */
const eta = 3;

/** The form for a new sweep: what to vary, how many runs that makes, and how long they take. */
export class PlanView {
  private readonly edit = button({
    kind: 'link',
    icon: 'settings-gear',
    label: t('sweep.plan.edit'),
    onClick: () => {
      post({ type: 'editSettings' });
    },
  });
  private readonly about = element('p', { class: 'muted' });
  private readonly problems = element('div', { class: 'banner warning', role: 'status', hidden: true });
  private readonly fieldList = element('div', { class: 'varied-list' });
  private fields: VariedField[] = [];
  private readonly scaleNote = element('p', { class: 'muted', hidden: true });
  private readonly add = button({
    label: t('sweep.plan.add'),
    icon: 'add',
    onClick: () => {
      const setting = nextSetting(this.state.varied);
      if (setting === undefined) return;
      this.change({ varied: [...this.state.varied, variedWith(setting, this.plan)] });
      this.fields.at(-1)!.focus();
    },
  });
  private readonly halving = element('input', { type: 'checkbox' });
  private readonly name = element('input', { type: 'text', spellcheck: 'false', autocomplete: 'off' });
  private readonly failure = element('p', { class: 'banner error', role: 'alert', hidden: true });
  private readonly size = element('output', { class: 'plan-size' });
  private readonly start = button({
    kind: 'primary',
    icon: 'play',
    label: t('sweep.plan.start'),
    onClick: () => {
      this.post();
    },
  });
  private isStarting = false;

  constructor(
    main: HTMLElement,
    private plan: SweepPlan,
    private state: PlanState,
    private readonly onChange: (state: PlanState) => void,
  ) {
    this.halving.addEventListener('change', () => {
      this.change({ halving: this.halving.checked });
    });
    this.name.addEventListener('input', () => {
      this.change({ name: this.name.value });
    });
    main.classList.add('sweep-plan');
    main.append(
      this.header(),
      this.about,
      this.problems,
      element('section', {}, element('h2', {}, t('sweep.plan.vary')), this.fieldList, this.scaleNote, this.add),
      this.options(),
      element('footer', { class: 'plan-foot' }, this.failure, this.size, this.start),
    );
    this.update();
  }

  readonly receive: Receiver<'sweep'> = (message) => {
    if (message.type === 'plan') this.plan = message.plan;
    if (message.type === 'startFailed') {
      this.isStarting = false;
      setText(this.failure, message.message);
      this.failure.hidden = false;
    }
    this.update();
  };

  private header(): HTMLElement {
    return element(
      'header',
      { class: 'panel-header' },
      element('h1', {}, t('sweep.plan.title')),
      element('span', { class: 'spacer' }),
      this.edit,
    );
  }

  private options(): HTMLElement {
    const name = element('label', { class: 'plan-name' }, element('span', {}, t('sweep.plan.name')), this.name);
    return element(
      'section',
      {},
      element(
        'div',
        { class: 'plan-halving' },
        element('label', { class: 'inline-control' }, this.halving, element('span', {}, t('sweep.plan.halving'))),
        element('p', { class: 'muted' }, t('sweep.plan.halving.help')),
      ),
      name,
    );
  }

  private change(change: Partial<PlanState>): void {
    this.state = { ...this.state, ...change };
    this.failure.hidden = true;
    this.onChange(this.state);
    this.update();
  }

  private changeVaried(index: number, change: Varied | undefined): void {
    const { varied } = this.state;
    this.change({ varied: [...varied.slice(0, index), ...(change ? [change] : []), ...varied.slice(index + 1)] });
  }

  private update(): void {
    const { varied, halving, name } = this.state;
    this.edit.hidden = this.plan.isRecord;
    this.halving.checked = halving;
    if (this.name.value !== name) this.name.value = name;
    this.name.placeholder = this.usualName();
    this.updateFields();
    this.add.disabled = nextSetting(varied) === undefined;
    setText(this.about, this.aboutText());
    this.showProblems();
    this.showScale();
    const parameters = parametersOf(this.state);
    const runs = parameters && runCount(parameters);
    this.size.replaceChildren(...(parameters && runs !== undefined ? this.sizeWords(parameters, runs) : []));
    const fewest = halving ? eta : 2;
    const isPossible = runs !== undefined && runs >= fewest && runs <= maxRuns && this.plan.check?.ok === true;
    this.start.disabled = this.isStarting || !isPossible;
  }

  private updateFields(): void {
    const { varied } = this.state;
    if (this.fields.length !== varied.length) {
      this.fields = varied.map((_, index) => this.field(index));
      this.fieldList.replaceChildren(...this.fields.map(({ root }) => root));
    }
    varied.forEach((each, index) => {
      const others = varied.filter((other) => other !== each).map(({ setting }) => setting);
      this.fields[index]!.update(each, valuesOf(each), others, varied.length > 1);
    });
  }

  private field(index: number): VariedField {
    return new VariedField({
      onSetting: (setting) => {
        this.changeVaried(index, variedWith(setting, this.plan));
      },
      onValues: (values) => {
        this.changeVaried(index, { ...this.state.varied[index]!, values });
      },
      onRemove: () => {
        this.changeVaried(index, undefined);
      },
    });
  }

  private aboutText(): string {
    const { check, name } = this.plan;
    if (!check?.ok) return t('sweep.plan.about');
    return `${t('sweep.plan.about')} ${t('sweep.plan.shared', name, modelName(check.config.model), lastPart(check.config.data.path))}`;
  }

  /** What is wrong with the shared settings, or with the memory that they take. */
  private showProblems(): void {
    const { check } = this.plan;
    const words = !check ? [] : check.ok ? memoryWords(check.estimate) : check.problems.map(({ message }) => message);
    this.problems.hidden = words.length === 0;
    const title = check?.ok === false ? [element('p', {}, t('sweep.plan.incomplete'))] : [];
    this.problems.replaceChildren(...title, ...words.map((text) => element('p', {}, text)));
  }

  /** A constant alpha makes the scale depend on the rank, which newcomers do not expect. */
  private showScale(): void {
    const { check } = this.plan;
    const rank = this.state.varied.find(({ setting }) => setting === 'lora.r');
    const ranks = rank ? valuesOf(rank).values.filter((value) => typeof value === 'number') : [];
    const isShown = check?.ok === true && ranks.length > 1 && this.state.varied.every(({ setting }) => setting !== 'lora.alpha');
    this.scaleNote.hidden = !isShown;
    if (!isShown) return;
    const alpha = Number(valueAt(check.config, ['lora', 'alpha']));
    const stabilised = check.config.lora.use_rslora;
    const scales = [Math.min(...ranks), Math.max(...ranks)].map((r) => formatValue(alpha / (stabilised ? Math.sqrt(r) : r)));
    setText(this.scaleNote, t('sweep.plan.scale', formatValue(alpha), ...scales));
  }

  private sizeWords(parameters: NonNullable<ReturnType<typeof parametersOf>>, runs: number): HTMLElement[] {
    const { steps, seconds, parameters: sizes } = estimateOf(this.plan, parameters, this.state.halving ? eta : null);
    const line = (text: string, className = 'muted') => element('span', { class: className }, text);
    if (runs < 2) return [line(t('sweep.plan.tooFew'))];
    if (this.state.halving && runs < eta) return [line(t('sweep.plan.halvingNeeds', formatNumber(eta)))];
    if (runs > maxRuns) return [line(t('sweep.plan.tooMany', formatNumber(runs), formatNumber(maxRuns)))];
    const factors = this.state.varied.map(
      ({ setting }) => `${formatNumber(parameters[setting]!.length)} ${settingTitle(setting.split('.'))}`,
    );
    const product = factors.length > 1 ? ` (${factors.join(' × ')})` : '';
    return [
      line(`${counted('sweep.plan.runs', runs)}${product}`, 'plan-runs'),
      seconds === undefined
        ? line(t(steps === undefined ? 'sweep.plan.noSteps' : 'sweep.plan.noTime'))
        : line(t('estimate.about', formatDuration(seconds)), 'plan-time'),
      ...(steps === undefined ? [] : [line(counted('sweep.plan.steps', steps))]),
      ...(sizes ? [line(parametersInWords(sizes))] : []),
    ];
  }

  /** "rank × learning rate · answers.jsonl" */
  private usualName(): string {
    const { check } = this.plan;
    const varied = this.state.varied.map(({ setting }) => settingName(setting)).join(' × ');
    return check?.ok ? `${varied} · ${lastPart(check.config.data.path)}` : varied;
  }

  private post(): void {
    const parameters = parametersOf(this.state);
    if (!parameters) return;
    this.isStarting = true;
    this.failure.hidden = true;
    const { halving, name } = this.state;
    post({ type: 'start', parameters, halving: halving ? { eta } : null, name: name.trim() || this.usualName() });
    this.update();
  }
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== '') ?? path;
}

function memoryWords({
  peakMemoryBytes,
  availableMemoryBytes,
}: {
  peakMemoryBytes: number;
  availableMemoryBytes: number;
}): string[] {
  if (peakMemoryBytes <= availableMemoryBytes) return [];
  return [t('sweep.plan.memory', formatBytes(peakMemoryBytes), formatBytes(availableMemoryBytes))];
}

function parametersInWords([smallest, largest]: readonly [number, number]): string {
  if (smallest === largest) return t('sweep.plan.parameters', formatNumber(smallest));
  return t('sweep.plan.parametersFrom', formatNumber(smallest), formatNumber(largest));
}
