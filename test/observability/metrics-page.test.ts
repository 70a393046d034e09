import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { metricsPage } from '../../src/observability/index.ts';

const docs = path.join(import.meta.dirname, '..', '..', 'docs');

test('the reference page is what the definitions say (vitest run this file --update writes it)', async () => {
  await expect(metricsPage()).toMatchFileSnapshot('../../docs/reference/metrics.md');
});

test('names begin with verdict_, say their base unit, and counters end with _total', () => {
  const rows = [...metricsPage().matchAll(/^\| `(verdict_\w+)` \| (counter|gauge|histogram) \|/gm)];
  expect(rows.length).toBeGreaterThan(25);
  for (const [, name, type] of rows) {
    expect(name).not.toMatch(/_(ms|millis|milliseconds|ns|nanoseconds|kb|mb|percent)(_|$)/);
    expect(name?.endsWith('_total')).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  }
});

test('the monitoring guide speaks of metrics that there are', () => {
  const page = metricsPage();
  const guide = path.join(docs, 'guides', 'monitoring.md');
  expect(existsSync(guide)).toBe(true);
  const names = [...readFileSync(guide, 'utf8').matchAll(/\bverdict_\w+/g)].map(([name]) => name);
  expect(new Set(names).size).toBeGreaterThan(5);
  for (const name of names) expect(page).toContain(`\`${name.replace(/_(bucket|sum|count)$/, '')}\``);
});
