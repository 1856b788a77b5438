import type { RunConfig } from './runConfig.js';

/** What a run is called until its user names it: "qa · SmolLM2-135M · r16", data, model and rank. */
export function runName({ data, model, lora }: Pick<RunConfig, 'data' | 'model' | 'lora'>): string {
  return [stem(data.path), withoutVariant(stem(model)), `r${lora.r}`].join(' · ');
}

/** A list of runs is narrow: which kind of a model, and how it is quantized, the run itself shows. */
function withoutVariant(model: string): string {
  return model.replace(/([-_.](instruct|chat|base|it|hf|gguf|i?q\d(_\w+)*|[bf]f?(16|32)))+$/i, '') || model;
}

/** The last part of a path, of either platform, without the ending that says what kind of file it is. */
function stem(path: string): string {
  const last = path.split(/[\\/]/).findLast((part) => part !== '') ?? path;
  return last.replace(/\.(jsonl|ndjson|json|txt|md|gguf)$/i, '') || last;
}
