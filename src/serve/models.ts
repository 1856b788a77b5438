/** @file GET /v1/models and GET /v1/models/{id}. */
import type { Exchange } from './exchange.js';
import type { Service } from './service.js';
import type { ServedModel } from './servedModels.js';

export function listModels(exchange: Exchange, service: Service): void {
  exchange.json(200, { object: 'list', data: service.served.all().map((model) => described(model, service)) });
}

export function retrieveModel(exchange: Exchange, service: Service, id: string): void {
  exchange.json(200, described(service.served.get(id), service));
}

/** `parent` is vLLM's word for the base of an adapter. */
function described({ name, adapter }: ServedModel, { served, startedAt }: Service): object {
  return {
    id: name,
    object: 'model',
    created: startedAt,
    owned_by: 'lora-workbench',
    parent: adapter === null ? null : served.base,
  };
}
