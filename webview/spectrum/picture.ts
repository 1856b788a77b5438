/** @file Small pictures in SVG, which take their colours from the style sheet. */
const namespace = 'http://www.w3.org/2000/svg';

function shape(tag: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

export function picture(width: number, height: number, label: string, parts: readonly SVGElement[]): SVGElement {
  const svg = shape('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': label });
  svg.append(...parts);
  return svg;
}

/** A rectangle with a tooltip. */
export function column(x: number, y: number, width: number, height: number, tip: string): SVGElement {
  const made = shape('rect', { x, y, width, height });
  const title = shape('title', {});
  title.textContent = tip;
  made.append(title);
  return made;
}

/** A rectangle coloured by a share from 0 to 1. */
export function square(x: number, y: number, size: number, share: number, tip: string): SVGElement {
  const made = column(x, y, size, size, tip);
  made.style.setProperty('--heat', String(share));
  return made;
}
