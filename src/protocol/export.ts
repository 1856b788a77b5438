/** @file An export: a model, with or without an adapter, written for use elsewhere. */

/**
 * `merged`: a Hugging Face folder with the adapter in the weights. `gguf`: the same as one GGUF file. `gguf-lora`: the adapter
 * alone, as llama.cpp takes it. `peft`: the adapter alone, as PEFT and vLLM take it.
 */
export const exportTargets = ['merged', 'gguf', 'gguf-lora', 'peft'] as const;
export type ExportTarget = (typeof exportTargets)[number];

export const exportDTypes = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0', 'q4_1'] as const;
export type ExportDType = (typeof exportDTypes)[number];

/** The types that each target's files can hold. */
export const dtypesOfTarget: { readonly [K in ExportTarget]: readonly ExportDType[] } = {
  merged: ['f32', 'f16', 'bf16'],
  gguf: exportDTypes,
  'gguf-lora': ['f32', 'f16', 'bf16'],
  peft: ['f32', 'f16', 'bf16'],
};

export interface ExportRequest {
  /** Path of the base model, or its name in the cache. */
  readonly model: string;
  /** The adapter's folder; null writes the base alone. */
  readonly adapter: string | null;
  readonly to: ExportTarget;
  /** Null chooses the one closest to how the base is stored, or fp32 for an adapter. */
  readonly dtype: ExportDType | null;
  /** Multiplies the adapter's effect. */
  readonly strength: number;
  /** A folder, or for `gguf` and `gguf-lora` a .gguf file. It must not exist yet. */
  readonly out: string;
}

export interface ExportProgress {
  /** Turning PiSSA into plain LoRA, if it is one; writing the files; comparing them with base and adapter. */
  readonly stage: 'preparing' | 'writing' | 'checking';
  /** Of `total` linears turned, bytes written, or layers compared. */
  readonly done: number;
  readonly total: number;
}

/** How far the logits of the exported file are from those of base and adapter, over a few prompts. */
export interface ExportParity {
  /** The largest difference of a logit. */
  readonly maxDifference: number;
  /** The root mean square of the differences, divided by that of the logits around their mean. */
  readonly relativeDifference: number;
  /** What rounding to the type usually explains. More means that this model loses much in it; what else could differ does not. */
  readonly tolerance: number;
  /** Positions at which both put the same token first, of `positions`. */
  readonly sameFirst: number;
  readonly positions: number;
}

/** A command line that uses what was exported. */
export interface ExportUse {
  readonly tool: 'llama.cpp' | 'Ollama' | 'vLLM';
  readonly command: string;
}

export interface ExportResult {
  /** Absolute, like the paths of the files. */
  readonly out: string;
  readonly files: readonly string[];
  readonly sizeBytes: number;
  readonly dtype: ExportDType;
  readonly parity: ExportParity;
  readonly uses: readonly ExportUse[];
}
