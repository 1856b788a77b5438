import { Ajv, type ErrorObject } from 'ajv';
import { HttpError } from './httpError.js';

const ajv = new Ajv({ allowUnionTypes: true });

/** Compiles a check of request bodies. Fields that the schema does not name may hold anything, because clients send many. */
export function bodyCheck<Body>(properties: object, required: readonly string[]): (body: Record<string, unknown>) => Body {
  const matches = ajv.compile<Body>({ type: 'object', properties, required });
  return (body) => {
    if (matches(body)) return body;
    throw refusal(matches.errors![0]!);
  };
}

function refusal({ instancePath, keyword, params, message }: ErrorObject): HttpError {
  const path = instancePath.split('/').slice(1);
  const given = params as { missingProperty?: string; allowedValues?: readonly unknown[] };
  if (keyword === 'required') path.push(given.missingProperty!);
  const param = path.join('.');
  const expected = keyword === 'required' ? 'is missing' : message!;
  const choices = keyword === 'enum' ? `: ${given.allowedValues!.join(', ')}` : '';
  return new HttpError(400, `${param} ${expected}${choices}.`, { param, code: 'invalid_value' });
}
