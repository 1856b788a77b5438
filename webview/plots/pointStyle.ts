/** @file How a series of points looks in every plot and table: a colour, and a shape for those who do not see it. */
export const shapes = ['circle', 'rectRot', 'triangle', 'rect', 'crossRot'] as const;

/** The outlines of the shapes in a square of 12. */
const outlines: Readonly<Record<(typeof shapes)[number], string>> = {
  circle: 'M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9Z',
  rectRot: 'M6 0.5L11.5 6L6 11.5L0.5 6Z',
  triangle: 'M6 1L11.5 10.5H0.5Z',
  rect: 'M1.5 1.5H10.5V10.5H1.5Z',
  crossRot: 'M3 1.5L6 4.5L9 1.5L10.5 3L7.5 6L10.5 9L9 10.5L6 7.5L3 10.5L1.5 9L4.5 6L1.5 3Z',
};

export function shapeOf(index: number): (typeof shapes)[number] {
  return shapes[index % shapes.length]!;
}

const svg = 'http://www.w3.org/2000/svg';

export function swatch(index: number): SVGElement {
  const drawing = document.createElementNS(svg, 'svg');
  drawing.setAttribute('viewBox', '0 0 12 12');
  drawing.setAttribute('class', `point-swatch series-${index % 6}`);
  drawing.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(svg, 'path');
  path.setAttribute('d', outlines[shapeOf(index)]);
  drawing.append(path);
  return drawing;
}
