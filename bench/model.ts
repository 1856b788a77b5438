/** Prints the path of SmolLM2-135M-Instruct, fetching it if needed; prints nothing if it is unavailable. */
import { fetchSmolLM2 } from '../src/files/fetch/smolLM2.js';

const report = { say: (line: string) => console.error(line), progress: () => undefined };
void fetchSmolLM2(report, new AbortController().signal).then((path) => console.log(path ?? ''));
