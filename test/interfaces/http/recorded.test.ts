import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withoutId } from '../../support/decision-http.ts';
import type { Pdp } from '../../support/pdp.ts';
import { startPdp } from '../../support/pdp.ts';

interface Recorded {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: { readonly [name: string]: string };
    readonly body?: string;
  };
  readonly response: {
    readonly status: number;
    readonly headers: { readonly [name: string]: string | undefined };
    readonly body: string;
  };
}

interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly errors?: readonly { readonly code: string }[];
}

// OPA 1.22.2 over the same rules: opa/record.mjs asks it again.
const recorded = JSON.parse(readFileSync(path.join(import.meta.dirname, 'opa/recorded.json'), 'utf8')) as Recorded[];

let pdp: Pdp;
beforeAll(async () => {
  pdp = await startPdp({
    bundles: { shop: path.join(import.meta.dirname, 'opa/shop') },
    sets: ['policy.defaultDecision=shop/main'],
  });
});
afterAll(() => pdp.stop());

const ask = (asked: Recorded['request']): Promise<Recorded['response']> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(pdp.urls.http);
    const { method, headers = {} } = asked;
    const sent = request({ hostname, port, path: asked.path, method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => {
        const given = response.headers as Recorded['response']['headers'];
        resolve({ status: response.statusCode ?? 0, headers: given, body });
      });
    });
    sent.on('error', reject);
    sent.end(asked.body);
  });

/** The one thing that Verdict adds to an answer beside the decision's id. */
const withoutOurWarning = (body: string): string =>
  body.replace(/,?"warning":\{"code":"unknown_path","message":"[^}]*"\}/, '');

/** What of an error is a promise: the codes, and the words before what the parser or the policy says. */
const errorShape = (body: string): unknown => {
  const { code, message, errors } = JSON.parse(body) as ErrorBody;
  const words = message.replace(/(malformed input document): .*/s, '$1');
  return { code, words, inner: errors?.map((error) => error.code) };
};

describe("OPA's recorded answers, from a whole server with the same rules", () => {
  test.each(
    recorded.map((one): [string, Recorded] => {
      const { method, path: target, body = '', headers = {} } = one.request;
      return [`${method} ${target} ${body} ${Object.values(headers).join()}`, one];
    }),
  )('%s', async (_name, { request: asked, response: wanted }) => {
    // Twice: what is remembered is the same answer.
    for (const _time of ['evaluated', 'remembered']) {
      const answer = await ask(asked);
      expect(answer.status).toBe(wanted.status);
      const isRefusal = wanted.status === 400 || wanted.status === 500;
      if (isRefusal) expect(errorShape(answer.body)).toEqual(errorShape(wanted.body));
      else expect(withoutOurWarning(withoutId(answer.body))).toBe(wanted.body);
      expect(answer.headers.location).toBe(wanted.headers.location);
      if (wanted.status < 404) expect(answer.headers.vary).toBe(wanted.headers.vary);
      if (wanted.body !== '') expect(answer.headers['content-type']).toBe(wanted.headers['content-type']);
    }
  });
});

test('what OPA answers with a type error is undefined here', async () => {
  const answer = await ask({ method: 'POST', path: '/v1/data/shop/orders/arr/7', body: '{"input":1}' });
  expect([answer.status, withoutId(answer.body)]).toEqual([200, '{}\n']);
});
