import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const src = path.join(import.meta.dirname, '..', 'src');

/** Which folders a folder may import from, beside itself: the arrows of the house. */
const below: { readonly [part: string]: readonly string[] } = {
  canonical: [],
  rego: ['canonical'],
  engine: ['canonical', 'rego'],
  decision: ['canonical', 'rego', 'engine'],
  policy: ['canonical', 'rego', 'engine'],
  identity: ['canonical', 'rego', 'engine'],
  audit: ['canonical', 'rego', 'engine'],
  interfaces: ['canonical', 'rego', 'engine', 'decision', 'policy', 'identity', 'audit'],
  cli: ['canonical', 'rego', 'engine', 'decision', 'policy', 'identity', 'audit', 'client'],
  client: [],
  observability: ['canonical'],
  config: ['canonical', 'engine', 'decision', 'policy', 'identity', 'audit', 'interfaces', 'observability'],
};

/** The types in which the parts of one floor meet. */
const meetingPlace = 'decision/model.ts';
/** What every wire does alike: it knows none of them. */
const shared = 'wire';
const roots = ['main.ts', 'server.ts', 'start-error.ts', 'storage.ts', 'ports.ts', 'app.module.ts', 'version.ts'];

interface Import {
  readonly from: string;
  readonly to: string;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(path.sep).join('/'));

const specifiers = (file: string): string[] => {
  const text = readFileSync(path.join(src, file), 'utf8');
  const found = text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|(?:import\(|import\s)'([^']+)'/g);
  return [...found].map((match) => match[1] ?? match[2] ?? '');
};

const imports: Import[] = files.flatMap((from) =>
  specifiers(from)
    .filter((to) => to.startsWith('.'))
    .map((to) => ({ from, to: path.posix.normalize(path.posix.join(path.posix.dirname(from), to)) })),
);

const partOf = (file: string): string => file.split('/')[0] ?? '';
const wireOf = (file: string): string => file.split('/')[1] ?? '';

const mayImport = ({ from, to }: Import): boolean => {
  if (roots.includes(from)) return true;
  if (roots.includes(to)) return false;
  if (to === meetingPlace) return partOf(from) !== 'canonical' && partOf(from) !== 'rego' && partOf(from) !== 'engine';
  if (partOf(from) === 'interfaces' && partOf(to) === 'interfaces')
    return wireOf(from) === wireOf(to) || wireOf(to) === shared;
  if (partOf(from) === partOf(to)) return true;
  return (below[partOf(from)] ?? []).includes(partOf(to));
};

test('the source tree has imports to check, and each names a file that exists', () => {
  expect(imports.length).toBeGreaterThan(10);
  expect(imports.filter(({ to }) => !files.includes(to))).toEqual([]);
});

test('every folder of the source tree stands on a floor', () => {
  const folders = new Set(files.filter((file) => file.includes('/')).map(partOf));
  expect([...folders].filter((folder) => !(folder in below))).toEqual([]);
});

test('imports go down only', () => {
  expect(imports.filter((found) => !mayImport(found)).map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});

test('Nest stays in the control plane', () => {
  const outside = files.filter(
    (file) => !roots.includes(file) && !file.endsWith('.module.ts') && !file.startsWith('interfaces/admin/'),
  );
  const found = outside.filter((file) => specifiers(file).some((to) => to.startsWith('@nestjs/')));
  expect(found).toEqual([]);
});

test('nobody inside a folder imports its own doorway', () => {
  const own = imports.filter(({ from, to }) => to === `${path.posix.dirname(from)}/index.ts`);
  expect(own).toEqual([]);
});
