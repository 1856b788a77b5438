const english = new Intl.PluralRules('en', { type: 'ordinal' });
const endings: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd' };

/** "2nd" in English; in other languages the number, for a phrase that makes it one. */
export function ordinal(place: number, locale = 'en'): string {
  return locale.startsWith('en') ? `${place}${endings[english.select(place)] ?? 'th'}` : String(place);
}
