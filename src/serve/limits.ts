/** What keeps one client from taking the endpoint, or the machine, away from the others. */
export interface Limits {
  /** A request's body: a prompt far longer than any model here reads. */
  readonly maxBodyBytes: number;
  /** Requests that are being answered or wait for it. */
  readonly maxRequests: number;
  readonly maxConnections: number;
  /** For sending the headers, and for sending the whole request. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** For taking a piece of an answer. */
  readonly readMs: number;
}

export const usualLimits: Limits = {
  maxBodyBytes: 4 << 20,
  maxRequests: 16,
  maxConnections: 128,
  headersMs: 10_000,
  requestMs: 30_000,
  readMs: 30_000,
};
