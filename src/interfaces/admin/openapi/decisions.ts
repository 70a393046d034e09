import { CACHE_STATES, OUTCOMES, WIRES } from '../../../decision/model.ts';
import { errors, inPath, json, read } from './parts.ts';

const inQuery = (name: string, schema: object, description: string): object => ({
  name,
  in: 'query',
  schema,
  description,
});

const text = { type: 'string', minLength: 1, maxLength: 1_024 };
const several = (items: object): object => ({ type: 'array', items, maxItems: 20 });
const moment = { type: 'string', format: 'date-time' };

const filters = [
  inQuery('from', moment, 'Records of this moment or later.'),
  inQuery('to', moment, 'Records before this moment.'),
  inQuery('subject', several(text), 'About whom. Several values of one parameter are alternatives, here and below.'),
  inQuery('action', several(text), 'What they wanted to do.'),
  inQuery('resource', several(text), 'To what.'),
  inQuery('outcome', several({ enum: OUTCOMES }), 'What it came to.'),
  inQuery('bundle', several(text), 'A bundle that the answer rests on.'),
  inQuery('version', several({ type: 'integer', minimum: 1 }), 'A version of that bundle.'),
  inQuery('caller', several(text), 'Who asked: the name of a token, or anonymous.'),
  inQuery('token', several(text), 'A token that the evaluation decoded: its jti, iss or claims_sha256.'),
  inQuery('path', several(text), 'The path that was asked, or one above it.'),
  inQuery('wire', several({ enum: WIRES }), 'How it was asked.'),
  inQuery('batch', several(text), 'The batch_decision_id of its batch.'),
  inQuery('cache', several({ enum: CACHE_STATES }), 'Whether it was remembered.'),
  inQuery('events', { type: 'boolean', default: false }, 'Records that are no decisions too.'),
];

const limit = { type: 'integer', minimum: 1, maximum: 1_000, default: 100 };
const last = { type: 'integer', minimum: 0, maximum: 1_000, default: 0 };

export const decisionPaths = {
  '/v1/decisions': {
    get: {
      operationId: 'searchDecisions',
      summary: 'Records of decisions, newest first. Role auditor.',
      parameters: [
        ...filters,
        inQuery('limit', limit, 'Records of one page.'),
        inQuery('cursor', text, 'Goes on where the page before ended: its `next`.'),
      ],
      responses: { 200: json('Decisions', 'A page of records.'), ...errors(400, 401, 403, 429, 500) },
    },
  },
  '/v1/decisions/tail': {
    get: {
      operationId: 'tailDecisions',
      summary: 'Records as they are written, as server-sent events. Role auditor.',
      parameters: [
        ...filters,
        inQuery('last', last, 'Begins with so many records that are there already.'),
        {
          name: 'last-event-id',
          in: 'header',
          schema: text,
          description: 'Goes on after the event with this id; `last` is ignored then.',
        },
      ],
      responses: {
        200: {
          description:
            'Events `decision` and `event` with a record as data, `gap` with `{"missed": n}` when the reader was too ' +
            'slow for n records of the log, `damage` with `damaged` and `missing` as a search has them when the log is ' +
            'not whole, and `end` when the server or the token ends.',
          content: { 'text/event-stream': { schema: { type: 'string' } } },
        },
        ...errors(400, 401, 403, 429, 500),
      },
    },
  },
  '/v1/decisions/{id}': {
    get: read('showDecision', 'The record of one decision. Role auditor.', json('Decision', 'The record'), [
      inPath('id', { type: 'string' }),
    ]),
  },
  '/v1/decisions/{id}/explain': {
    get: {
      operationId: 'explainDecision',
      summary:
        "Evaluates a recorded decision again in OPA's interpreter and answers the rules that were tried. Role auditor.",
      parameters: [inPath('id', { type: 'string' })],
      responses: { 200: json('DecisionExplanation', 'How it came about.'), ...errors(401, 403, 404, 422, 429, 500) },
    },
  },
};
