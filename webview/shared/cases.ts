/** @file The cases of a report, in a list of which each opens. */
import { element } from './dom.js';

/** One case. What is inside is made when it is opened: there are hundreds. */
export function openingCase(summary: readonly (Node | string)[], body: () => HTMLElement): HTMLElement {
  const details = element('details', { class: 'case' }, element('summary', {}, ...summary));
  details.addEventListener('toggle', () => {
    if (details.open && details.childElementCount === 1) details.append(body());
  });
  return details;
}

/** Where it is: the end says more than the beginning, so that is what stays when there is little room. */
export function casePlace(place: string): HTMLElement {
  return element('span', { class: 'case-place', title: place }, element('bdi', { dir: 'ltr' }, place));
}

/** The first line of its text. */
export function caseText(text: string): HTMLElement {
  return element('code', { class: 'case-truth' }, text.trim().split('\n', 1)[0]!);
}
