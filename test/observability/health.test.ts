import { expect, test } from 'vitest';
import { createHealth } from '../../src/observability/index.ts';

test('ready when every check passes, else with every reason', () => {
  let reason: string | undefined = 'no version is active';
  const health = createHealth([() => reason, () => undefined, () => 'the log is full']);
  expect(health.ready()).toEqual({ ok: false, reasons: ['no version is active', 'the log is full'] });
  reason = undefined;
  expect(health.ready().reasons).toEqual(['the log is full']);
  expect(createHealth([() => undefined]).ready()).toEqual({ ok: true, reasons: [] });
});

test('a check that throws is not passed', () => {
  const health = createHealth([
    () => {
      throw new Error('secret detail');
    },
  ]);
  expect(health.ready()).toEqual({ ok: false, reasons: ['a health check failed'] });
});

test('what is not ready is still live', () => {
  expect(createHealth([() => 'draining']).live()).toEqual({ ok: true, reasons: [] });
});
