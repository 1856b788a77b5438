import { element, setText } from '../shared/dom.js';
import { formatNumber, t } from '../shared/text.js';
import { dashPatterns, type PlotLine } from './lines.js';

/** Legend and read-out in one: a plot's lines with their values at one step, and the step itself. */
export class Legend {
  readonly root = element('ul', { class: 'legend' });
  readonly step = element('span', { class: 'legend-step' });
  private shown = '';
  private values: HTMLElement[] = [];

  /** A null `step` means the last values. */
  update(lines: readonly PlotLine[], step: number | null): void {
    const listed = lines.filter((line) => line.kind !== 'faint');
    const signature = JSON.stringify(listed.map(({ name, kind, color, dash }) => [name, kind, color, dash]));
    if (signature !== this.shown) this.build(listed);
    this.shown = signature;
    setText(this.step, step === null ? '' : t('plot.step', formatNumber(step)));
    listed.forEach((line, index) => {
      const value = valueAt(line, step);
      setText(this.values[index]!, value === undefined ? '–' : line.format(value));
    });
  }

  private build(lines: readonly PlotLine[]): void {
    this.values = lines.map(() => element('span', { class: 'legend-value' }));
    const items = lines.map((line, index) =>
      element(
        'li',
        { class: 'legend-line', title: line.name || null },
        swatch(line),
        line.name ? element('span', { class: 'legend-name' }, line.name) : null,
        this.values[index]!,
      ),
    );
    this.root.replaceChildren(...items);
  }
}

/** A line's value at a step: none beyond its ends; an evaluation holds until the next one. A null `step` means its last value. */
export function valueAt({ kind, steps, values }: PlotLine, step: number | null): number | undefined {
  if (step === null) return values.last;
  if (values.length === 0 || step < steps.at(0)) return undefined;
  if (kind === 'evaluation') return values.at(steps.lowerBound(step + 0.5) - 1);
  return step > steps.at(values.length - 1) ? undefined : values.at(steps.nearest(step)!);
}

const svg = 'http://www.w3.org/2000/svg';

/** A short piece of the line itself, so that legend and plot can be matched by dash as well as by colour. */
export function swatch({ color, dash, kind }: Pick<PlotLine, 'color' | 'dash' | 'kind'>): SVGElement {
  const picture = svgElement('svg', {
    class: `swatch series-${color}`,
    viewBox: '0 0 24 10',
    width: 24,
    height: 10,
    'aria-hidden': 'true',
  });
  const pattern = dashPatterns[dash]!.join(' ');
  picture.append(svgElement('line', { x1: 0, y1: 5, x2: 24, y2: 5, 'stroke-dasharray': pattern || 'none' }));
  if (kind === 'evaluation') picture.append(svgElement('circle', { cx: 12, cy: 5, r: 3 }));
  return picture;
}

function svgElement(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(svg, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
