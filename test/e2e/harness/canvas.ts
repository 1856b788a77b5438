import type { Locator } from 'playwright-core';

/** A line drawn on a canvas: for each pixel column that contains its colour, the middle of the coloured pixels. */
export interface DrawnLine {
  readonly columns: readonly { readonly x: number; readonly y: number }[];
  readonly width: number;
}

/** Finds what is drawn in one of the theme's colours by reading the pixels. */
export function readDrawnLine(canvas: Locator, colorVariable: string): Promise<DrawnLine> {
  return canvas.evaluate((element, variable) => {
    const drawing = element as HTMLCanvasElement;
    const { width, height } = drawing;
    const probe = document.createElement('canvas').getContext('2d')!;
    probe.fillStyle = getComputedStyle(document.body).getPropertyValue(variable);
    probe.fillRect(0, 0, 1, 1);
    const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data as unknown as [number, number, number];
    const { data } = drawing.getContext('2d')!.getImageData(0, 0, width, height);
    const isLine = (at: number) =>
      data[at + 3]! > 200 && Math.abs(data[at]! - red) + Math.abs(data[at + 1]! - green) + Math.abs(data[at + 2]! - blue) < 40;
    const columns = Array.from({ length: width }, (_, x) => {
      const rows = Array.from({ length: height }, (_, y) => y).filter((y) => isLine(4 * (y * width + x)));
      return { x, y: rows.reduce((sum, y) => sum + y, 0) / rows.length };
    });
    return { columns: columns.filter(({ y }) => Number.isFinite(y)), width };
  }, colorVariable);
}

/**
 * How well a drawn line follows some points: the correlation of the pixels' heights with the values at their columns. The axes
 * are unknown but linear, so a line that shows these values scores 1, up to the width of its stroke.
 */
export function agreement({ columns }: DrawnLine, points: readonly { readonly x: number; readonly y: number }[]): number {
  const [left, right] = [columns[0]!.x, columns.at(-1)!.x];
  const [first, last] = [points[0]!.x, points.at(-1)!.x];
  const expected = columns.map(({ x }) => interpolate(points, first + ((x - left) / (right - left)) * (last - first)));
  return correlation(
    columns.map(({ y }) => -y),
    expected,
  );
}

function interpolate(points: readonly { readonly x: number; readonly y: number }[], x: number): number {
  const next = Math.max(
    1,
    points.findIndex((point) => point.x >= x),
  );
  const [a, b] = [points[next - 1]!, points[next]!];
  return a.y + ((x - a.x) / (b.x - a.x)) * (b.y - a.y);
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = (p: readonly number[], q: readonly number[], meanP: number, meanQ: number) =>
    mean(p.map((value, index) => (value - meanP) * (q[index]! - meanQ)));
  return covariance(a, b, meanA, meanB) / Math.sqrt(covariance(a, a, meanA, meanA) * covariance(b, b, meanB, meanB));
}
