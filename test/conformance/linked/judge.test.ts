// The same bundles in OPA's own server and in ours: an answer that differs is a bug here.
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { opa } from '../../support/opa.ts';
import { type Pdp, startPdp } from '../../support/pdp.ts';
import { freePort, temporaryFolder } from '../../support/server-process.ts';

const bundles: { readonly [name: string]: { readonly [file: string]: string } } = {
  shop: {
    '.manifest': '{"roots": ["shop"]}',
    'shop.rego': `package shop

import data.people

default allow := false

allow if {
	people.adult(input.user)
	some role in people.roles_of[input.user]
	role in data.limits.may_buy
}

why contains reason if some reason in people.reasons

why contains "no roles" if not people.roles_of[input.user]

price := data.limits.prices[input.item] * people.discount

everyone := people

nothing := data.limits.nobody.knows

names := [name | some name, _ in data.people.ages]

mocked := price if {
	price := people.discount with data.people.ages as {"ann": 1}
}

dynamic[root] := data[root].version if some root in ["limits", "stock", "none"]

back := data.stock.left
`,
    'shop/data.json': '{"opening": [9, 17]}',
  },
  people: {
    '.manifest': '{"roots": ["people"]}',
    'people.rego': `package people

adult(name) if ages[name] >= data.limits.age

ages := data.people.register.ages

roles_of[name] contains role if some name, role in data.people.register.roles[_]

reasons := {reason | some reason in ["young", "unknown"]; startswith(reason, input.letter)}

discount := 0.9 if count(ages) > 1

discount := 1 if count(ages) <= 1
`,
    'people/register/data.json': JSON.stringify({
      ages: { ann: 20, bob: 12, zoe: 12345678901234567890n.toString() },
      roles: [{ ann: 'clerk' }, { ann: 'head', bob: 'child' }],
    }),
  },
  limits: {
    '.manifest': '{"roots": ["limits"]}',
    'data.json': '{"limits": {"age": 18, "may_buy": ["clerk"], "prices": {"pen": 1.50, "ship": 1e30}, "version": 3}}',
  },
  stock: {
    '.manifest': '{"roots": ["stock"]}',
    'stock.rego': `package stock

import data.shop

version := 7

left := 5

open if input.hour in numbers.range(shop.opening[0], shop.opening[1])

sellable if {
	open
	shop.allow
}
`,
  },
};

const inputs = [
  undefined,
  {},
  { user: 'ann', item: 'pen', letter: 'y', hour: 10 },
  { user: 'bob', item: 'ship', letter: 'u', hour: 20 },
  { user: 'zoe', item: 'none', letter: '', hour: 9 },
  { user: ['ann'], item: 1, letter: null, hour: '9' },
];

const rules = ['allow', 'why', 'price', 'everyone', 'nothing', 'names', 'mocked', 'dynamic', 'back', 'opening'];
const paths = [
  ...rules.map((rule) => `shop/${rule}`),
  ...['shop', 'shop/dynamic/limits', 'shop/everyone/ages/ann', 'people', 'people/ages', 'people/roles_of/ann'],
  ...['people/register/ages', 'people/reasons', 'limits', 'limits/prices/pen', 'stock', 'stock/sellable', 'stock/open'],
];

// Without the program there is nobody to ask: `go install github.com/open-policy-agent/opa@v1.22.2` brings it, as .ci/run does.
describe.skipIf(opa === undefined)('bundles that refer to one another', () => {
  const { folder, remove } = temporaryFolder('linked');
  let pdp: Pdp;
  let url: string;
  let end: () => Promise<unknown>;

  beforeAll(async () => {
    const folders: { [name: string]: string } = {};
    for (const [name, files] of Object.entries(bundles)) {
      for (const [file, text] of Object.entries(files)) {
        const target = path.join(folder, name, file);
        await mkdir(path.dirname(target), { recursive: true });
        await writeFile(target, text);
      }
      folders[name] = path.join(folder, name);
    }
    pdp = await startPdp({ bundles: folders });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const args = ['run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error'];
    const child = spawn(opa ?? '', [...args, ...Object.values(folders).flatMap((dir) => ['-b', dir])], {
      env: { ...process.env, OPA_TELEMETRY_SERVICE_URL: '' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    end = async () => {
      child.kill();
      await ended;
    };
    const isUp = (): Promise<boolean> =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (child.exitCode === null && !(await isUp()));
    if (child.exitCode !== null) throw new Error(`opa ended (${child.exitCode})`);
  });

  afterAll(async () => {
    await end?.();
    await pdp?.stop();
    remove();
  });

  const answer = async (base: string, where: string, input: unknown): Promise<unknown> => {
    const response = await fetch(`${base}/v1/data/${where}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input === undefined ? {} : { input }),
    });
    const body = (await response.json()) as { readonly result?: unknown; readonly code?: string };
    return response.status === 200 ? body.result : [response.status, body.code];
  };

  test.each(paths)('%s is what OPA answers', async (where) => {
    for (const input of inputs) {
      const wanted = await answer(url, where, input);
      expect([input, await answer(pdp.urls.http, where, input)]).toEqual([input, wanted]);
    }
  });
});
