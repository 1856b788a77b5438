import { modelName } from './modelName.js';
import type { RunConfig } from './runConfig.js';

/** Default name of a run, from data, model and rank: "qa · SmolLM2-135M · r16". */
export function runName({ data, model, lora }: Pick<RunConfig, 'data' | 'model' | 'lora'>): string {
  return [stem(data.path), withoutVariant(stem(modelName(model))), `r${lora.r}`].join(' · ');
}

/** Lists of runs are narrow, so variant and quantization of the model are left out; the run itself shows them. */
function withoutVariant(model: string): string {
  return model.replace(/([-_.](instruct|chat|base|it|hf|gguf|i?q\d(_\w+)*|[bf]f?(16|32)))+$/i, '') || model;
}

/** The last part of a path, on any platform, without the file extension; of a data set of the hub, its name. */
function stem(path: string): string {
  const named = path.replace(/^([\w.-]+\/[\w.-]+)[@:].*$/, '$1');
  const last = named.split(/[\\/]/).findLast((part) => part !== '') ?? named;
  return last.replace(/\.(jsonl|ndjson|json|csv|tsv|parquet|txt|md|gguf)$/i, '') || last;
}
