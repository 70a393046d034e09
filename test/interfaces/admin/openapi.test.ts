import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Admin, startAdmin } from './support.ts';

type Operation = {
  readonly operationId: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: { readonly [status: string]: unknown };
};

let admin: Admin;
let document: {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: { readonly schemas: { readonly [name: string]: object } };
};

beforeAll(async () => {
  admin = await startAdmin();
  document = JSON.parse((await admin.ask('/openapi.json')).text) as typeof document;
});
afterAll(() => admin.close());

const operations = (): { readonly route: string; readonly path: string; readonly operation: Operation }[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      route: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  );

test('the document describes the routes that there are, all and no other', () => {
  const routes = admin.server.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  expect(
    operations()
      .map(({ route }) => route)
      .sort(),
  ).toEqual(routes.sort());
  expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
});

test('routes that are open say so, and no other', () => {
  const open = admin.server.routes
    .filter(({ permit }) => permit !== undefined && 'open' in permit)
    .map(({ method, path }) => `${method} ${path}`);
  const said = operations().filter(({ operation }) => operation.security?.length === 0);
  expect(said.map(({ route }) => route).sort()).toEqual(open.sort());
});

test('every parameter of a path is described, and every operation has a name of its own', () => {
  for (const { path, operation } of operations()) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const described = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    expect(described.map((parameter) => parameter.name)).toEqual(named);
  }
  const ids = operations().map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every reference leads to a schema, and every schema is referred to', () => {
  const text = JSON.stringify(document);
  const referred = new Set([...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1]));
  expect([...referred].sort()).toEqual(Object.keys(document.components.schemas).sort());
});
