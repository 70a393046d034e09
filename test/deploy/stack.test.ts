import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/index.ts';
import { metricsPage } from '../../src/observability/index.ts';
import { startPdp } from '../support/pdp.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { root } from '../support/server-process.ts';
import { only } from './dockerfile.ts';

const deploy = path.join(root, 'deploy');
const read = (...names: string[]): string => readFileSync(path.join(deploy, ...names), 'utf8');

interface Service {
  readonly image: string;
  readonly network_mode?: string;
  readonly volumes: readonly string[];
  readonly ports?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly read_only?: boolean;
  readonly stop_grace_period?: string;
}
const compose = parse(read('compose.yaml')) as {
  readonly services: { readonly [name: string]: Service };
  readonly volumes: object;
};
const { verdict, cli, prometheus, grafana } = compose.services as { readonly [name: string]: Service };
const config = loadConfig({ file: path.join(deploy, 'verdict.yaml'), sets: [], env: {} });

test('what services mount is there: files of this folder, or volumes that are declared', () => {
  for (const { volumes } of Object.values(compose.services))
    for (const [source = ''] of volumes.map((volume) => volume.split(':')))
      expect(source.startsWith('.') ? existsSync(path.join(deploy, source)) : source in compose.volumes, source).toBe(
        true,
      );
});

test('Verdict keeps its state in a volume, on an otherwise read-only file system, and has time to drain', () => {
  expect(verdict?.volumes).toContain(`state:${config.storage.dir}`);
  expect(verdict?.volumes).toContain(`./verdict.yaml:${only('WORKDIR').text}/verdict.yaml:ro`);
  expect(verdict).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  const { drainSeconds, graceSeconds } = config.server;
  expect(Number.parseInt(verdict?.stop_grace_period ?? '', 10)).toBeGreaterThan(drainSeconds + graceSeconds);
});

test('nobody publishes what serves loopback; who asks it shares its network', () => {
  expect(verdict?.ports).toBeUndefined();
  expect([cli?.network_mode, prometheus?.network_mode]).toEqual(['service:verdict', 'service:verdict']);
  expect(cli?.volumes).toContain(`state:${config.storage.dir}:ro`);
  expect(grafana?.ports).toEqual(['127.0.0.1:3000:3000']);
});

test('Prometheus reads the admin listener, and Grafana reads Prometheus', () => {
  const { scrape_configs: jobs, rule_files: rules } = parse(read('prometheus', 'prometheus.yml')) as {
    scrape_configs: { static_configs: { targets: string[] }[] }[];
    rule_files: string[];
  };
  const { host, port } = config.server.admin;
  expect(jobs.flatMap((job) => job.static_configs.flatMap(({ targets }) => targets))).toEqual([`${host}:${port}`]);
  expect(rules.every((file) => existsSync(path.join(deploy, 'prometheus', file)))).toBe(true);
  expect(read('grafana', 'provisioning', 'datasources', 'prometheus.yml')).toContain('url: http://verdict:9090');
});

/** Every expression of the alert rules and of the dashboard. */
const expressions = (): string[] => {
  const { groups } = parse(read('prometheus', 'alerts.yml')) as { groups: { rules: { expr: string }[] }[] };
  const found: string[] = groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if ((key === 'expr' || key === 'query') && typeof inner === 'string') found.push(inner);
      else collect(inner);
    }
  };
  collect(JSON.parse(read('grafana', 'dashboards', 'verdict.json')));
  return found;
};

const NAME = /\b(?:verdict|process|nodejs)_\w+/g;

test('every metric of the alert rules and of the dashboard is one that a server answers', async () => {
  const pdp = await startPdp();
  try {
    const families = parseMetrics(await (await fetch(`${pdp.urls.admin}/metrics`)).text());
    const names = new Set(expressions().flatMap((expression) => expression.match(NAME) ?? []));
    expect(names.size).toBeGreaterThan(25);
    const known = (name: string): boolean =>
      families.get(name) !== undefined || families.get(name.replace(/_bucket$/, ''))?.type === 'histogram';
    expect([...names].filter((name) => !known(name))).toEqual([]);
  } finally {
    await pdp.stop();
  }
});

test('they ask for labels that the metric has', () => {
  const rows = [...metricsPage().matchAll(/^\| `(verdict_\w+)` \| \w+ \| (.*?) \|/gm)];
  const labels = new Map(
    rows.map(([, name, list = '']): [string | undefined, string[]] => [name, list.match(/\w+/g) ?? []]),
  );
  const asked = expressions().flatMap((expression) =>
    [...expression.matchAll(/\b(verdict_\w+?)(?:_bucket)?\{([^}]*)\}/g)].flatMap(([, name, selectors = '']) =>
      [...selectors.matchAll(/(\w+)=/g)].map(([, label]) => ({ name, label })),
    ),
  );
  expect(asked.length).toBeGreaterThan(20);
  const unknown = asked.filter(({ name, label = '' }) => label !== 'instance' && !labels.get(name)?.includes(label));
  expect(unknown).toEqual([]);
});
