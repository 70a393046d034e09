import { decisionPaths } from './decisions.ts';
import { errors, inPath, json, read } from './parts.ts';
import { ref, schemas } from './schemas.ts';

// Written by hand: a test compares it with the routes that Fastify has, so it cannot say less or more than is there.

const bundle = inPath('name', { type: 'string', pattern: '^[a-z][a-z0-9-]{0,62}$' });
const version = inPath('version', { type: 'integer', minimum: 1 });
const activate = { name: 'activate', in: 'query', schema: { type: 'boolean', default: false } };
const archive = { schema: { type: 'string', format: 'binary' } };

const bundlePaths = {
  '/v1/bundles': { get: read('listBundles', 'All bundles that the token holds for.', json('Bundles', 'Bundles')) },
  '/v1/bundles/{name}': {
    get: read('showBundle', 'One bundle: what is active and what is newest.', json('Bundle', 'A bundle'), [bundle]),
    put: {
      operationId: 'pushBundle',
      summary: 'Takes a new version: Rego sources or a built bundle, as .tar.gz. Role author.',
      parameters: [bundle, activate],
      requestBody: { required: true, content: { 'application/gzip': archive, 'application/octet-stream': archive } },
      responses: {
        200: json('Push', 'The same digest was there already.'),
        201: json('Push', 'A new version.'),
        ...errors(400, 401, 403, 409, 413, 415, 422, 500),
      },
    },
  },
  '/v1/bundles/{name}/versions': {
    get: read('listVersions', 'All versions, newest first.', json('Versions', 'Versions'), [bundle]),
  },
  '/v1/bundles/{name}/versions/{version}': {
    get: read('showVersion', 'One version.', json('Version', 'A version'), [bundle, version]),
  },
  '/v1/bundles/{name}/versions/{version}/bundle': {
    get: read(
      'downloadVersion',
      'The archive as it is stored.',
      { description: 'A .tar.gz.', content: { 'application/gzip': archive } },
      [bundle, version],
    ),
  },
  '/v1/bundles/{name}/versions/{version}/activate': {
    post: {
      operationId: 'activateVersion',
      summary: 'Makes a version live, at once and whole. Role approver or author.',
      parameters: [bundle, version],
      responses: { 200: json('Activation', 'What is active now.'), ...errors(400, 401, 403, 404, 409, 422, 500) },
    },
  },
  '/v1/bundles/{name}/rollback': {
    post: {
      operationId: 'rollBack',
      summary: 'Makes the version live that was active before. Role approver or author.',
      parameters: [bundle],
      responses: { 200: json('Activation', 'What is active now.'), ...errors(401, 403, 404, 409, 422, 500) },
    },
  },
};

const explainPaths = {
  '/v1/explain': {
    post: {
      operationId: 'explain',
      summary: "Evaluates a rule of what is active in OPA's interpreter and answers its trace. No decision is made.",
      requestBody: { required: true, content: { 'application/json': { schema: ref('ExplainRequest') } } },
      responses: {
        200: json('Explanation', 'The value and its trace.'),
        ...errors(400, 401, 403, 413, 415, 422, 429, 500),
      },
    },
  },
};

const tokenPaths = {
  '/v1/tokens': {
    get: read('listTokens', 'All tokens, revoked and expired ones too. Role operator.', json('Tokens', 'Tokens')),
    post: {
      operationId: 'createToken',
      summary: 'Makes a token; its secret is answered this once. Role operator.',
      requestBody: { required: true, content: { 'application/json': { schema: ref('TokenRequest') } } },
      responses: { 201: json('NewToken', 'The token and its secret.'), ...errors(400, 401, 403, 409, 413, 415, 500) },
    },
  },
  '/v1/tokens/{name}': {
    delete: {
      operationId: 'revokeToken',
      summary: 'Ends a token from the next request on. Its name stays taken. Role operator.',
      parameters: [inPath('name', { type: 'string' })],
      responses: { 200: json('Token', 'The revoked token.'), ...errors(401, 403, 404, 500) },
    },
  },
};

const open = (operationId: string, summary: string, responses: object): object => ({
  operationId,
  summary,
  security: [],
  responses,
});

const servicePaths = {
  '/health/live': { get: open('live', 'The process answers.', { 200: json('Health', 'It does.') }) },
  '/health/ready': {
    get: open('ready', 'Requests may be sent here.', {
      200: json('Health', 'They may.'),
      503: json('Health', 'Not now; `reasons` says why.'),
    }),
  },
  '/metrics': {
    get: {
      operationId: 'measure',
      summary: 'What the server counted, in Prometheus’ text format. Open on loopback, else role operator.',
      responses: {
        200: { description: 'Metrics.', content: { 'text/plain': { schema: { type: 'string' } } } },
        ...errors(401, 403),
      },
    },
  },
  '/openapi.json': {
    get: open('describe', 'This document.', {
      200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
    }),
  },
};

/** The OpenAPI document of the admin API. */
export const openApi = (serverVersion: string): object => ({
  openapi: '3.1.0',
  info: {
    title: 'Verdict admin API',
    version: serverVersion,
    description: 'Bundles, tokens, decisions, and health. docs/reference/access.md says which role may do what.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  security: [{ token: [] }],
  paths: {
    ...bundlePaths,
    ...decisionPaths,
    ...explainPaths,
    ...tokenPaths,
    ...servicePaths,
  },
  components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas },
});
