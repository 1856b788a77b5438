import type { RunConfig } from './runConfig.js';

/** What a run is called until its user names it: "qa · SmolLM2-135M · r16", data, model and rank. */
export function runName({ data, model, lora }: Pick<RunConfig, 'data' | 'model' | 'lora'>): string {
  return [stem(data.path), stem(model), `r${lora.r}`].join(' · ');
}

/** The last part of a path, of either platform, without the ending that says what kind of file it is. */
function stem(path: string): string {
  const last = path.split(/[\\/]/).findLast((part) => part !== '') ?? path;
  return last.replace(/\.(jsonl|ndjson|json|txt|md|gguf)$/i, '') || last;
}
