// The bodies of the API as JSON Schema (OpenAPI 3.1). model.ts, identity and policy have the same shapes as types.

const text = { type: 'string' };
const texts = { type: 'array', items: text };
const whole = { type: 'integer', minimum: 0 };
const moment = { type: 'string', format: 'date-time' };
const role = { enum: ['ask', 'author', 'approver', 'auditor', 'operator', 'edge'] };
const name = { type: 'string', pattern: '^[a-z][a-z0-9-]{0,62}$' };

export const ref = (schema: string): object => ({ $ref: `#/components/schemas/${schema}` });

/** An object whose members all have to be there, but those named `optional`. */
const object = (properties: { readonly [key: string]: object }, optional: readonly string[] = []): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
});

const list = (schema: string): object => ({ type: 'array', items: ref(schema) });

const version = object(
  {
    name,
    version: { type: 'integer', minimum: 1 },
    digest: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    revision: text,
    roots: texts,
    entrypoints: texts,
    state: { enum: ['pushed', 'active', 'retired'] },
    opaque: { type: 'boolean', description: 'Sources are missing or cut: no tests, no explanation.' },
    builtins: texts,
    tests: object({ passed: whole }),
    pushedBy: text,
    pushedAt: moment,
    activatedBy: text,
    activatedAt: moment,
    notes: { ...texts, description: 'What the author should know: narrowed roots, opaque, findings.' },
  },
  ['activatedBy', 'activatedAt'],
);

const token = object(
  {
    name,
    roles: { type: 'array', items: role },
    bundles: { type: 'array', items: name, description: 'Absent: all.' },
    createdAt: moment,
    createdBy: text,
    expiresAt: moment,
    revokedAt: moment,
    lastUsedAt: moment,
  },
  ['bundles', 'expiresAt', 'revokedAt', 'lastUsedAt'],
);

const place = object({ code: text, message: text, file: text, row: whole, col: whole, excerpt: text }, [
  'file',
  'row',
  'col',
  'excerpt',
]);

const explanation = {
  result: { description: 'Absent: undefined.' },
  refused: { ...text, description: 'No rule is asked: the schemas of METADATA refuse the input, for this reason.' },
  policy: object({ name, version: whole, digest: text, revision: text, dataRevision: text }),
  trace: { ...text, description: 'At all levels but `steps`.' },
  steps: { ...list('Step'), description: 'At the level `steps`.' },
  cut: { type: 'boolean', description: 'There was more of the steps or the trace.' },
  printed: text,
};
const explanationOptional = ['result', 'refused', 'trace', 'steps', 'cut', 'printed'];

export const schemas: { readonly [name: string]: object } = {
  Version: version,
  Versions: object({ versions: list('Version'), rollbackTo: whole }, ['rollbackTo']),
  Bundle: object({ name, active: ref('Version'), latest: ref('Version'), versions: whole }, ['active']),
  Bundles: object({ bundles: list('Bundle') }),
  Push: object({ version: ref('Version'), created: { type: 'boolean' }, epoch: whole, warnings: texts }),
  Activation: object({ version: ref('Version'), epoch: whole, warnings: texts }),
  Decision: { type: 'object', description: 'The record as it stands in the log.' },
  Decisions: object(
    {
      decisions: list('Decision'),
      next: { ...text, description: 'The cursor of the next page; absent when there is none.' },
      partial: {
        type: 'boolean',
        description: 'The bound on one search was met before the page was full: `next` goes on from there.',
      },
      scanned: object({ records: whole, bytes: whole }),
      damaged: {
        type: 'array',
        items: object({
          file: text,
          offset: whole,
          bytes: whole,
          why: { enum: ['bytes', 'order', 'name', 'origin', 'twice', 'aside'] },
        }),
      },
      missing: {
        type: 'array',
        description: 'Records that the log should have and has not, wanted or not: indexes, both included.',
        items: object({ from: whole, to: whole, why: { enum: ['beginning', 'gap', 'end', 'gone'] }, file: text }, [
          'file',
        ]),
      },
    },
    ['next', 'damaged', 'missing'],
  ),
  ExplainRequest: object(
    {
      path: { ...text, description: 'Below data: todo/allow.' },
      input: { description: 'Absent: input is undefined.' },
      explain: { enum: ['notes', 'fails', 'full', 'debug', 'steps'], default: 'full' },
      strictBuiltinErrors: { type: 'boolean', default: false },
    },
    ['input', 'explain', 'strictBuiltinErrors'],
  ),
  Step: object(
    {
      rule: { ...text, description: 'A rule that was tried; absent for an expression that did not hold.' },
      default: { type: 'boolean' },
      text: { ...text, description: 'An expression as it stands in the source, or what can be said of it.' },
      held: { type: 'boolean' },
      file: text,
      row: whole,
      values: { type: 'array', items: object({ name: text, value: text }) },
      steps: list('Step'),
      more: { ...whole, description: 'So many more definitions of this rule did not hold, and failed earlier.' },
    },
    ['rule', 'default', 'text', 'file', 'row', 'values', 'steps', 'more'],
  ),
  Explanation: object(explanation, explanationOptional),
  DecisionExplanation: object(
    {
      ...explanation,
      decision_id: text,
      path: text,
      same: { type: 'boolean', description: 'Whether this is what was answered; absent when the record does not say.' },
    },
    [...explanationOptional, 'same'],
  ),
  Token: token,
  Tokens: object({ tokens: list('Token') }),
  TokenRequest: {
    ...object(
      {
        name,
        roles: { type: 'array', items: role, minItems: 1 },
        bundles: { type: 'array', items: name, minItems: 1 },
        expiresInSeconds: { type: 'integer', minimum: 1 },
      },
      ['bundles', 'expiresInSeconds'],
    ),
    additionalProperties: false,
  },
  NewToken: object({ token: ref('Token'), secret: { type: 'string', description: 'Shown this once.' } }),
  Health: object({ status: { enum: ['ok', 'unavailable'] }, reasons: texts }),
  Problem: object(
    { type: text, title: text, status: whole, detail: text, code: text, problems: { type: 'array', items: place } },
    ['problems'],
  ),
};
