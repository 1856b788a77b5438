import type { Exchange } from './exchange.js';

/** GET /health: in llama.cpp's words, the model is loaded. The endpoint listens only once it is. */
export function health(exchange: Exchange): void {
  exchange.json(200, { status: 'ok' });
}
