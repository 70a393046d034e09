import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { CacheState } from '../../../src/interfaces/grpc/gen/verdict/v1/decisions_pb.ts';
import { fails, gives, givesInput } from '../../support/decision.ts';
import { type AskedBatch, json, resultOf, startGrpc } from '../../support/decision-grpc.ts';
import { shop } from '../../support/decision-http.ts';

const ECHO = 'shop/orders/echo';

const variants = (common: string | undefined, own: readonly string[]): AskedBatch => ({
  path: ECHO,
  questions: {
    case: 'variants',
    value: { variants: own.map(json), ...(common === undefined ? {} : { common: json(common) }) },
  },
});

const results = async (asked: AskedBatch): Promise<string[]> => {
  const { decideBatch } = await startGrpc();
  return (await decideBatch(asked)).decisions.map(resultOf);
};

describe('many inputs that have much in common', () => {
  test.each([
    ['{"a":1,"b":2}', '{"b":3,"c":4}', '{"a":1,"b":3,"c":4}'],
    ['{"a":{"x":1,"y":{"z":1}}}', '{"a":{"y":{"w":2}}}', '{"a":{"x":1,"y":{"z":1,"w":2}}}'],
    ['{"a":{"x":1}}', '{"a":[1]}', '{"a":[1]}'],
    ['{"a":[1]}', '{"a":{"x":1}}', '{"a":{"x":1}}'],
    ['{}', '{}', '{}'],
    ['{"a":1}', '{}', '{"a":1}'],
    ['{}', '{"a":1}', '{"a":1}'],
    ['{"a":1}', 'true', 'true'],
    ['[1]', '{"a":1}', '{"a":1}'],
    ['{"a":1}', '{"\\u0061":2}', '{"\\u0061":2}'],
    [' {"n":1.0, "big":12345678901234567890} ', ' {"a" : 1} ', '{"n":1.0,"big":12345678901234567890,"a" : 1}'],
  ])('%j under %j is %j', async (common, own, merged) => {
    expect(await results(variants(common, [own]))).toEqual([merged]);
  });

  test('a variant that is absent is what they have in common; without that it is absent', async () => {
    const none = (common?: string): AskedBatch => ({
      path: ECHO,
      questions: {
        case: 'variants',
        value: { variants: [{}], ...(common === undefined ? {} : { common: json(common) }) },
      },
    });
    expect(await results(none('{"a":1}'))).toEqual(['{"a":1}']);
    expect(await results(none())).toEqual(['undefined']);
  });

  test('answers come in order, each with a record of its own that names the batch', async () => {
    const { decideBatch, audit } = await startGrpc();
    const asked = variants(
      '{"a":1}',
      Array.from({ length: 50 }, (_, index) => `{"b":${index}}`),
    );
    const { batchDecisionId, decisions } = await decideBatch(asked);
    expect(decisions.map(resultOf)).toEqual(decisions.map((_, index) => `{"a":1,"b":${index}}`));
    expect(audit.records.map(({ facts }) => facts.decisionId)).toEqual(decisions.map((one) => one.decisionId));
    for (const { facts } of audit.records) {
      expect(facts).toMatchObject({ batchId: batchDecisionId, wire: 'verdict.batch' });
    }
  });

  test('equal questions are answered from memory', async () => {
    const { decideBatch, policy } = await startGrpc();
    const asked = variants(undefined, ['{"a":1}', '{"a":1}', '{"a":2}']);
    for (let times = 0; times < 3; times++) await decideBatch(asked);
    const { decisions } = await decideBatch(asked);
    expect(decisions.every(({ cache }) => cache === CacheState.HIT)).toBe(true);
    expect(policy.evaluations(ECHO)).toBe(2);
  });

  test('one that fails is one answer among the others', async () => {
    const { decideBatch, policy } = await startGrpc();
    const rule = (asked: Parameters<typeof givesInput>[0]) =>
      (asked.input === '2' ? fails('conflict') : gives('true'))(asked);
    policy.activate({ ...shop, rules: { [ECHO]: rule } });
    const { decisions } = await decideBatch(variants(undefined, ['1', '2', '3']));
    expect(decisions.map(resultOf)).toEqual(['true', 'failed', 'true']);
  });
});

describe('what one subject may do to which resources', () => {
  const matrix: AskedBatch = {
    path: ECHO,
    questions: {
      case: 'matrix',
      value: {
        subject: json('{"id":"s"}'),
        actions: [json('"read"'), json('"write"')],
        resources: [json('1'), json('2'), json('3')],
      },
    },
  };

  test('every action with every resource, in that order', async () => {
    const question = (action: string, resource: number) =>
      `{"subject":{"id":"s"},"action":"${action}","resource":${resource}}`;
    expect(await results(matrix)).toEqual([
      question('read', 1),
      question('read', 2),
      question('read', 3),
      question('write', 1),
      question('write', 2),
      question('write', 3),
    ]);
  });

  test('the context is in each of them', async () => {
    const value = { ...(matrix.questions?.value as object), context: json('{"ip":"x"}') };
    const [first] = await results({ ...matrix, questions: { case: 'matrix', value } });
    expect(first).toBe('{"subject":{"id":"s"},"action":"read","resource":1,"context":{"ip":"x"}}');
  });

  test('no actions or no resources are no questions', async () => {
    const value = { subject: json('{}'), actions: [json('1')], resources: [] };
    expect(await results({ path: ECHO, questions: { case: 'matrix', value } })).toEqual([]);
  });
});

describe('batches that are not taken', () => {
  const one = json('1');
  test.each<readonly [string, AskedBatch, string]>([
    ['no questions', { path: ECHO }, 'DecideBatchRequest: neither variants nor matrix'],
    ['a bad variant', variants(undefined, ['{}', '{"a":}']), 'variants.variants[1].json: line 1, column 6'],
    ['a bad common', variants('{"a":1,"a":2}', ['{}']), 'variants.common.json: line 1, column 8: the same member name'],
    ['too many', variants(undefined, Array<string>(6).fill('1')), 'variants: 6 items, at most 5 are taken'],
    ['a reserved member', variants('{"verdict":1}', ['{}']), 'the input has a member named verdict'],
    ['too much', variants(`{"c":"${'x'.repeat(40)}"}`, ['{}', '{}', '{}']), 'more than 100 bytes'],
    [
      'no subject',
      { path: ECHO, questions: { case: 'matrix', value: { actions: [one], resources: [one] } } },
      'matrix.subject: required',
    ],
    [
      'an action without a value',
      { path: ECHO, questions: { case: 'matrix', value: { subject: one, actions: [{}], resources: [one] } } },
      'matrix.actions[0]: required',
    ],
    [
      'too large a matrix',
      {
        path: ECHO,
        questions: { case: 'matrix', value: { subject: one, actions: [one, one], resources: [one, one, one] } },
      },
      'matrix: 6 items, at most 5 are taken',
    ],
  ])('%s', async (_what, asked, details) => {
    const { decideBatch, audit } = await startGrpc({ limits: { batchItems: 5, batchBytes: 100 } });
    await expect(decideBatch(asked)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(details),
    });
    expect(audit.records).toEqual([]);
  });
});

test('evaluations together have a budget, beyond which questions fail', async () => {
  // An evaluation of this rule uses 17 points.
  const { decideBatch, audit } = await startGrpc({ limits: { batchInstructions: 18 } });
  const variants = { variants: ['1', '2', '3'].map(json) };
  const { decisions } = await decideBatch({ path: ECHO, questions: { case: 'variants', value: variants } });
  expect(decisions.map(resultOf)).toEqual(['1', '2', 'failed']);
  expect(audit.records.map(({ facts }) => facts.error?.code)).toEqual([undefined, undefined, 'budget_exceeded']);
});
