/** run.json as a user writes it, with defaults filled in. Keys as in PEFT and transformers; schema: runConfig.schema.json. */
export interface RunConfig {
  readonly model: string;
  readonly data: DataConfig;
  readonly lora: LoraConfig;
  readonly train: TrainConfig;
  readonly engine: EngineConfig;
}

export const dataFormats = ['auto', 'alpaca', 'prompt-completion', 'chat', 'text', 'code', 'tokens'] as const;
export type DataFormat = (typeof dataFormats)[number];

export interface DataConfig {
  readonly path: string;
  readonly format: DataFormat;
  readonly eval_path: string | null;
  /** Share of examples held out for evaluation if eval_path is null. */
  readonly eval_fraction: number;
  /** Which files of a folder of source code are learned from: patterns as in .gitignore; null means all. */
  readonly include: readonly string[] | null;
  readonly exclude: readonly string[];
  /** VS Code's identifiers; null means all. */
  readonly languages: readonly string[] | null;
  readonly dedup: 'near' | 'exact' | 'off';
  /** Leave out source files with credentials in them. */
  readonly scan_secrets: boolean;
  /** Which files of a folder of source code are held out. */
  readonly eval_split: 'newest' | 'random';
  /** Of a folder of source code, learned from at most, in the newest files; null means all. */
  readonly max_tokens: number | null;
  readonly max_seq_length: number;
  readonly packing: boolean;
  readonly shuffle: boolean;
  readonly train_on_prompt: boolean;
  /** Share of the windows of source files that become examples of filling in the middle. */
  readonly fim_rate: number;
  /** Share of these with the suffix first; null means the order that the model has learned. */
  readonly fim_spm_rate: number | null;
  readonly fim_loss: 'all' | 'middle';
  /** What a model without tokens for filling in the middle learns: nothing of it, or marker strings. */
  readonly fim_format: 'auto' | 'teach';
}

export interface LoraConfig {
  readonly r: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly target_modules: readonly string[];
  /** Layer indices; null means all layers. */
  readonly layers: readonly number[] | null;
  readonly use_rslora: boolean;
  /** Folder of a PEFT adapter to start from. */
  readonly init_from: string | null;
}

export interface TrainConfig {
  readonly learning_rate: number;
  readonly batch_size: number;
  readonly gradient_accumulation_steps: number;
  /** Optimizer steps; null means num_epochs decides. */
  readonly max_steps: number | null;
  readonly num_epochs: number;
  /** With num_epochs: the run ends after so many tokens, counted as full sequences; null means no limit. */
  readonly max_tokens: number | null;
  /** Null means warmup_ratio decides. */
  readonly warmup_steps: number | null;
  /** Share of the run's steps. */
  readonly warmup_ratio: number;
  readonly lr_scheduler: 'constant' | 'linear' | 'cosine';
  readonly weight_decay: number;
  readonly adam_beta1: number;
  readonly adam_beta2: number;
  readonly adam_epsilon: number;
  /** 0 turns clipping off. */
  readonly max_grad_norm: number;
  readonly eval_steps: number;
  readonly save_steps: number;
  readonly logging_steps: number;
  /** Evaluations without improvement before the run stops; null means never. */
  readonly early_stopping_patience: number | null;
  /** Held-out prompts answered at every evaluation; 0 turns it off. */
  readonly sample_prompts: number;
  readonly seed: number;
}

export interface EngineConfig {
  readonly kind: 'onnx';
  readonly device: 'auto' | 'cpu' | 'webgpu';
  /** If the GPU fails during a run, continue on the CPU. */
  readonly cpu_fallback: boolean;
  readonly base_dtype: 'auto' | 'fp32' | 'fp16' | 'int8' | 'int4';
  readonly threads: number | null;
  /** Recompute activations in the backward pass instead of keeping them. */
  readonly gradient_checkpointing: 'auto' | 'on' | 'off';
  /** Read each layer's weights from the file whenever they are used. */
  readonly layer_streaming: 'auto' | 'on' | 'off';
  /** What to do if the run is not expected to fit into memory. */
  readonly memory_check: 'refuse' | 'warn';
}
