import { HttpError } from './httpError.js';

/** Bounds how many requests are being answered or wait for it. */
export class RequestLimit {
  private count = 0;

  constructor(private readonly max: number) {}

  async within<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.count >= this.max) {
      const message = `${this.max} requests are being answered already. Ask again in a moment.`;
      throw new HttpError(429, message, { code: 'rate_limit_exceeded', headers: { 'Retry-After': '1' } });
    }
    this.count++;
    try {
      return await work();
    } finally {
      this.count--;
    }
  }
}
