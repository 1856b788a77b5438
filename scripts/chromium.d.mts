/** CHROMIUM_PATH, else the first browser found; undefined where there is none. */
export function findChromium(): string | undefined;
/** Finds the browser or installs it through apt; says what to do where that is not possible. */
export function ensureChromium(): string | undefined;
