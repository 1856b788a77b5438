/** A model that another program downloaded. */
export interface StoredModel {
  /** A Hugging Face folder, a GGUF file, or an Ollama manifest, which names one. */
  readonly path: string;
  /** What it is called there: NAME, NAME:TAG, PUBLISHER/NAME … */
  readonly name: string;
  readonly kind: 'huggingface' | 'gguf';
  readonly store: 'hub' | 'ollama' | 'lmstudio';
  readonly sizeBytes: number;
}
