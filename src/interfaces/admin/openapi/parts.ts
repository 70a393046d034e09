import { ref } from './schemas.ts';

export const json = (schema: string, description: string): object => ({
  description,
  content: { 'application/json': { schema: ref(schema) } },
});

const problem = (description: string): object => ({
  description,
  content: { 'application/problem+json': { schema: ref('Problem') } },
});

const refusals: { readonly [status: string]: object } = {
  400: problem('The request, or the archive in it, is not what was wanted.'),
  401: problem('No token, or one that does not hold.'),
  403: problem('The token lacks the role, or does not hold for this bundle.'),
  404: problem('There is no such thing.'),
  409: problem('It stands against something that is there: roots, a name, no version to go back to.'),
  413: problem('Too large.'),
  415: problem('Another content type.'),
  422: problem('The bundle is not accepted: `problems` names the places.'),
  429: problem('Too many searches at once.'),
  500: problem('The server failed.'),
};

export const errors = (...statuses: readonly number[]): object =>
  Object.fromEntries(statuses.map((status) => [status, refusals[String(status)]]));

export const inPath = (name: string, schema: object): object => ({ name, in: 'path', required: true, schema });
export const read = (operationId: string, summary: string, ok: object, parameters: readonly object[] = []): object => ({
  operationId,
  summary,
  parameters,
  responses: { 200: ok, ...errors(400, 401, 403, 404, 500) },
});
