/** Which of the two writers of a comparison writes. */
export type Turn = 0 | 1;

/** The order of the two in each pair of turns is drawn, so that it cannot be guessed, and both get equally many. */
export function drawPair(random: () => number): readonly [Turn, Turn] {
  return random() < 0.5 ? [0, 1] : [1, 0];
}
