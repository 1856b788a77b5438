/**
 * The 95 % interval of a share of which `hits` of `count` were seen (Wilson, https://doi.org/10.1080/01621459.1927.10502953). It
 * stays between 0 and 1 and is sound for few observations, too; with none, nothing is known: [0, 1].
 */
export function wilsonInterval(hits: number, count: number): readonly [number, number] {
  if (count === 0) return [0, 1];
  const z = 1.959964;
  const share = hits / count;
  const middle = share + (z * z) / (2 * count);
  const half = z * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count));
  const scale = 1 + (z * z) / count;
  return [hits === 0 ? 0 : (middle - half) / scale, hits === count ? 1 : (middle + half) / scale];
}
