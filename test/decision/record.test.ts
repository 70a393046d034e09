import { expect, test } from 'vitest';
import type { Answer } from '../../src/decision/index.ts';
import { anyone, ask, askTwice, fails, gives, query, repeat, startCore } from '../support/decision.ts';

const open = (onFailure: 'refuse' | 'answer' = 'refuse') => {
  const core = startCore({ onFailure });
  core.policy.activate({
    name: 'shop',
    revision: 'r1',
    rules: { 'shop/allow': gives('true'), 'shop/conflict': fails('conflict') },
  });
  return core;
};

test('every answer is recorded, failed and undefined ones too, with what was asked and what it rests on', async () => {
  const { decisions, audit, clock } = open();
  const answers = [
    await ask(decisions, 'shop/allow/x', { input: '{"u":1}', strictErrors: true }),
    await ask(decisions, 'shop/conflict'),
    await ask(decisions, 'shop/nope'),
  ];
  expect(audit.records.map(({ facts }) => facts.decisionId)).toEqual(answers.map(({ decisionId }) => decisionId));
  expect(audit.records[0]).toEqual({
    input: '{"u":1}',
    result: 'true',
    facts: {
      wire: 'opa.v1',
      caller: anyone,
      requestedBy: '127.0.0.1:51422',
      decisionId: answers[0]?.decisionId,
      timestampMs: clock.nowMs(),
      path: ['shop', 'allow', 'x'],
      entrypoint: 'shop/allow',
      outcome: 'permit',
      policies: [
        {
          name: 'shop',
          version: 1,
          digest: 'digest of shop@1',
          revision: 'r1',
          dataRevision: 'data of shop@1',
        },
      ],
      epoch: 2,
      cache: 'miss',
      ageMs: 0,
      freshUntilMs: clock.nowMs() + 60_000,
      nowNs: clock.nowNs(),
      strictErrors: true,
      inputPresent: true,
      tokens: [],
      durationNs: 0,
      instructions: 17,
    },
  });
  expect(audit.records[1]?.facts).toMatchObject({
    outcome: 'failed',
    error: { code: 'conflict' },
    inputPresent: false,
  });
  expect(audit.records[2]?.facts).toMatchObject({ outcome: 'undefined', policies: [] });
  expect(audit.records[2]?.facts.freshUntilMs).toBeUndefined();
});

test('decision ids sort in the order of the answers', async () => {
  const { decisions } = open();
  const ids: string[] = [];
  for (let n = 0; n < 50; n++) ids.push((await ask(decisions, 'shop/allow')).decisionId);
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(50);
});

test('no answer leaves before its record is where it belongs', () => {
  const { decisions, audit } = open();
  audit.state.holding = true;
  const answers: Answer[] = [];
  decisions.decide(query('shop/allow', { rawKey: 'k' }), (answer) => answers.push(answer));
  decisions.decide(query('shop/allow', { rawKey: 'k' }), (answer) => answers.push(answer));
  decisions.repeat('k', query('shop/allow'), (answer) => answers.push(answer));
  expect(audit.records).toHaveLength(3);
  expect(answers).toHaveLength(0);
  audit.release();
  expect(answers.map(({ cache }) => cache)).toEqual(['miss', 'hit', 'hit']);
});

test.each(['failing', 'throwing'] as const)('a log that is %s turns every answer into a failure', async (how) => {
  const { decisions, audit, warnings } = open();
  await askTwice(decisions, 'shop/allow', { rawKey: 'k' });
  audit.state[how] = true;
  for (const answer of [await ask(decisions, 'shop/allow'), repeat(decisions, 'k')]) {
    expect(answer).toMatchObject({
      verdict: { kind: 'failed', error: { code: 'audit_failed' } },
      outcome: 'failed',
      freshMs: 0,
    });
    expect(answer?.context).toBeUndefined();
  }
  expect(warnings).toEqual([]);
  audit.state[how] = false;
  expect(await ask(decisions, 'shop/allow')).toMatchObject({ outcome: 'permit', cache: 'hit' });
});

test.each(['failing', 'throwing'] as const)('with onFailure answer, a log that is %s is warned about', async (how) => {
  const { decisions, audit, warnings } = open('answer');
  audit.state[how] = true;
  const answer = await ask(decisions, 'shop/allow');
  expect(answer).toMatchObject({ outcome: 'permit' });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(answer.decisionId);
});

test('a reply is called once, also when it throws', () => {
  const { decisions } = open();
  let calls = 0;
  const reply = (): void => {
    calls++;
    throw new Error('the wire broke');
  };
  expect(() => decisions.decide(query('shop/allow'), reply)).toThrow('the wire broke');
  expect(calls).toBe(1);
});
