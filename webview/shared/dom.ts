/** @file Elements created in code. Text becomes text nodes, never markup. */
type Child = Node | string | null;
type Attribute = string | number | boolean | null | ((event: Event) => void);

/** `true` sets an empty attribute, `false` and null set none, and a function becomes a listener: { click: … } */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value);
    else if (value !== false && value !== null) made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A decorative codicon; the text or label next to it carries the meaning. */
export function icon(name: string): HTMLElement {
  return element('span', { class: `codicon codicon-${name}`, 'aria-hidden': 'true' });
}

interface ButtonOptions {
  readonly label: string;
  readonly icon?: string;
  readonly kind?: 'primary' | 'secondary' | 'icon' | 'link';
  /** For a title that explains more than the label does. */
  readonly title?: string;
  readonly onClick: () => void;
}

/** An `icon` button shows only its icon; its label is its accessible name and its tooltip. */
export function button({ label, icon: iconName, kind = 'secondary', title, onClick }: ButtonOptions): HTMLButtonElement {
  const bare = kind === 'icon';
  const attributes = {
    type: 'button',
    class: kind,
    title: title ?? (bare ? label : null),
    'aria-label': bare ? label : null,
    click: onClick,
  };
  return element('button', attributes, iconName ? icon(iconName) : null, bare ? null : element('span', {}, label));
}

/** Sets the text only if it differs, so that a selection is kept and nothing is announced twice. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

let lastId = 0;
export function freshId(prefix: string): string {
  return `${prefix}-${++lastId}`;
}
