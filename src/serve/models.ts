/** @file GET /v1/models and GET /v1/models/{id}. */
import type { Exchange } from './exchange.js';
import type { Service } from './service.js';
import type { Voice } from './voices.js';

export function listModels(exchange: Exchange, service: Service): void {
  exchange.json(200, { object: 'list', data: service.voices.all().map((voice) => described(voice, service)) });
}

export function retrieveModel(exchange: Exchange, service: Service, id: string): void {
  exchange.json(200, described(service.voices.get(id), service));
}

/** `parent` is vLLM's word for the base of an adapter. */
function described({ name, adapter }: Voice, { voices, startedAt }: Service): object {
  return {
    id: name,
    object: 'model',
    created: startedAt,
    owned_by: 'lora-workbench',
    parent: adapter === null ? null : voices.base,
  };
}
