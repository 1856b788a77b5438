import { isDeviceFailure, type UserError } from '../core/errors.js';
import type { GenerateRequest, GenerateResult, OnToken, TextModel } from '../core/generate/textModel.js';
import { disposeQuietly } from './disposal.js';

/** Returns the model that `load` loads. If the device fails, then or later, the model that `reload` loads takes its place. */
export async function withFallback(
  load: () => Promise<TextModel>,
  reload: (failure: UserError) => Promise<TextModel>,
): Promise<TextModel> {
  try {
    return new FallbackTextModel(await load(), reload);
  } catch (error) {
    if (!isDeviceFailure(error)) throw error;
    return reload(error);
  }
}

class FallbackTextModel implements TextModel {
  private failed: { readonly model: TextModel; readonly replaced: Promise<void> } | undefined;

  constructor(
    private model: TextModel,
    private readonly reload: (failure: UserError) => Promise<TextModel>,
  ) {}

  get description(): string {
    return this.model.description;
  }

  get contextLength(): number {
    return this.model.contextLength;
  }

  /** The second model continues after the tokens that the first one generated. */
  async generate(request: GenerateRequest, onToken: OnToken): Promise<GenerateResult> {
    const started = performance.now();
    const ids: number[] = [];
    const result = await this.attempt(() => {
      const rest = { ...request, promptIds: [...request.promptIds, ...ids], maxNewTokens: request.maxNewTokens - ids.length };
      return this.model.generate(rest, (id, logprobs) => {
        ids.push(id);
        return onToken(id, logprobs);
      });
    });
    return { ...result, ids, decodeSeconds: (performance.now() - started) / 1000 - result.promptSeconds };
  }

  logits(...request: Parameters<TextModel['logits']>): Promise<Float32Array> {
    return this.attempt(() => this.model.logits(...request));
  }

  logprobs(...request: Parameters<TextModel['logprobs']>): Promise<readonly number[]> {
    return this.attempt(() => this.model.logprobs(...request));
  }

  dispose(): Promise<void> {
    return this.model.dispose();
  }

  /** Whatever the failed model was doing fails too, in one way or another, and is done again by the next one. */
  private async attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    const { model } = this;
    try {
      return await work();
    } catch (error) {
      if (this.failed?.model !== model) {
        if (!isDeviceFailure(error)) throw error;
        this.failed = { model, replaced: this.replace(model, error) };
      }
      await this.failed.replaced;
      return work();
    }
  }

  private async replace(failed: TextModel, failure: UserError): Promise<void> {
    await disposeQuietly(failed);
    this.model = await this.reload(failure);
  }
}
