// Requests of http.send that OPA and Verdict are asked alike, and the server of this machine that answers them.
import type { IncomingMessage, RequestListener } from 'node:http';

/** Headers of which each of the two has its own. */
const own = new Set(['user-agent', 'accept-encoding', 'connection']);

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const echo = async (request: IncomingMessage): Promise<string> => {
  const { method, url, rawHeaders } = request;
  const pairs: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = String(rawHeaders[at]).toLowerCase();
    if (!own.has(name)) pairs.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  return JSON.stringify({ method, url, headers: pairs.sort(), body: (await bodyOf(request)).toString() });
};

type Document = readonly [type: string | undefined, body: string | Buffer];

const documents: { readonly [path: string]: Document } = {
  '/json/problem': ['application/problem+json', '{"a": 1}'],
  '/json/capitals': ['APPLICATION/JSON; Charset=utf-8', '{"a": 1}'],
  '/json/parameter': ['application/json; charset', '{"a": 1}'],
  '/json/text': ['text/json', '{"a": 1}'],
  '/json/none': [undefined, '{"a": 1}'],
  '/json/broken': ['application/json', '{"a": '],
  '/json/more': ['application/json', '{"a": 1} {"b": 2}'],
  '/json/twice': ['application/json', '{"a": 1, "a": 2}'],
  '/json/empty': ['application/json', ''],
  '/json/numbers': ['application/json', '[1.50, 12345678901234567890, 1e3, -0]'],
  '/json/mark': ['application/json', '\ufeff{"a": 1}'],
  '/yaml/plain': ['application/yaml', 'a: [1, b]\nc: {d: null}\n'],
  '/yaml/old': ['application/x-yaml; charset=utf-8', 'a: yes\nb: off\nc: 010\nd: 1_000\ne: ~\n'],
  '/yaml/keys': ['application/yaml', '1: a\ntrue: b\n1.5: d\n'],
  '/yaml/null': ['application/yaml', 'null: a\n'],
  '/yaml/letters': [
    'application/yaml',
    'a: y\nb: N\nc: Off\nd: 0x1F\ne: 1:30\nf: 0b11\ng: 089\nh: -012\ni: True\nj: 0o17\n',
  ],
  '/yaml/infinite': ['application/yaml', 'a: .inf\n'],
  '/yaml/timestamp': ['application/yaml', 'a: 2001-12-14t21:59:43.10-05:00\nb: 2001-12-14 21:59:43\n'],
  '/yaml/large': ['application/yaml', 'n: 12345678901234567890\nf: 1.0\ng: 1e3\n'],
  '/yaml/alias': ['application/yaml', 'a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2\n'],
  '/yaml/text': ['text/yaml', 'a: 1\n'],
  '/yaml/broken': ['application/yaml', 'a: [1\n'],
  '/yaml/twice': ['application/yaml', 'a: 1\na: 2\n'],
  '/yaml/documents': ['application/yaml', 'a: 1\n---\nb: 2\n'],
  '/yaml/date': ['application/yaml', 'a: 2001-12-14\n'],
  '/bytes': ['application/octet-stream', Buffer.from([0x61, 0xff, 0x62])],
};

const redirects: { readonly [path: string]: string | undefined } = {
  '/to/echo': '/echo',
  '/to/self': '',
  '/to/beside': 'echo?beside',
  '/to/twice': '/to/302/echo',
  '/to/fragment': '/echo#part',
  '/to/scheme': 'ftp://127.0.0.1/',
  '/to/nowhere': undefined,
};

/** Answers every path alike, whoever asks. Connections end, so that neither of the two uses one again. */
export const answer = (): RequestListener => {
  const fallen = new Map<string, number>();
  return (request, response) => {
    response.sendDate = false;
    response.setHeader('connection', 'close');
    const { pathname = '', search = '' } = URL.parse(request.url ?? '', 'http://x') ?? {};
    const document = documents[pathname];
    const redirect = /^\/to\/(\d+)\/(\w+)$/.exec(pathname);
    const status = /^\/status\/(\d+)$/.exec(pathname);
    if (document !== undefined) {
      if (document[0] !== undefined) response.setHeader('content-type', document[0]);
      response.end(document[1]);
    } else if (redirect !== null) {
      const location = redirects[`/to/${redirect[2]}`];
      if (location !== undefined) response.setHeader('location', location);
      response.writeHead(Number(redirect[1])).end('moved');
    } else if (status !== null) {
      response.writeHead(Number(status[1]), { 'X-Many': ['a', 'b'], 'X-ONE': 'é' }).end();
    } else if (pathname === '/silent') {
      // Nobody answers.
    } else if (pathname === '/half') {
      response.writeHead(200, { 'content-length': '10' }).write('half');
    } else if (pathname === '/cut') {
      response.writeHead(200, { 'content-length': '10' }).write('half', () => request.socket.destroy());
    } else if (pathname === '/falls') {
      const times = fallen.get(search) ?? 0;
      fallen.set(search, times + 1);
      if (times % 3 < 2) request.socket.destroy();
      else response.end('at last');
    } else {
      void echo(request).then((text) => response.setHeader('content-type', 'application/json').end(text));
    }
  };
};

const base = '@';
const at = (path: string) => ({ url: base + path });

const statuses = [200, 201, 204, 299, 300, 304, 400, 404, 418, 500, 503];
const codes = [301, 302, 303, 307, 308, 300, 305];
const methods = ['get', 'POST', 'Put', 'patch', 'delete', 'head', 'options', 'propfind', ''];
const timeouts = [
  ...['50ms', '20s', '1000h', '20000000000', 50_000_000, '-1s', '', 'soon', '1', 1.5, true, null, [], '5', 1e30],
] as const;

type Request = { readonly [member: string]: unknown };

const named: readonly (readonly [string, Request])[] = [
  ...methods.map((method): [string, Request] => [`method ${method}`, { ...at('/echo'), method }]),
  ...methods.map((method): [string, Request] => [
    `method ${method} with a body`,
    { ...at('/echo'), method, body: [1] },
  ]),
  ['method with a space', { ...at('/echo'), method: 'GET IT' }],
  ['method that is no string', { ...at('/echo'), method: 1 }],
  ['method in quotes', { ...at('/echo'), method: '"post"' }],
  ['url in quotes', { url: `"${base}/echo"` }],
  ['url that is no string', { url: 1 }],
  ['url without a scheme', { url: '127.0.0.1/echo' }],
  ['url of another scheme', { url: 'ftp://127.0.0.1/' }],
  ['url that is empty', { url: '' }],
  ['url with a query', at('/echo?a=b&c=%20d+e')],
  ['url with a fragment', at('/echo#part')],
  ['url with a space', at('/echo/a b')],
  ['url with other letters', at('/echo/é')],
  ['body as object', { ...at('/echo'), method: 'post', body: { b: 1, a: '<&>é\u2028' } }],
  ['body as string', { ...at('/echo'), method: 'post', body: 'text' }],
  ['body as null', { ...at('/echo'), method: 'post', body: null }],
  ['body with numbers', { ...at('/echo'), method: 'post', body: [1.5, 100, 1e21, -0.1] }],
  ['raw body', { ...at('/echo'), method: 'post', raw_body: 'a=b' }],
  ['raw body in quotes', { ...at('/echo'), method: 'post', raw_body: '""a"b""' }],
  ['raw body beside a body', { ...at('/echo'), method: 'post', raw_body: '', body: 1 }],
  ['raw body that is no string', { ...at('/echo'), method: 'post', raw_body: 1 }],
  ['headers', { ...at('/echo'), headers: { 'X-Mixed-Case': 'V', 'content-type': 'text/x' } }],
  ['headers with the same name', { ...at('/echo'), headers: { 'x-a': 'lower', 'X-A': 'lower' } }],
  ['headers: host', { ...at('/echo'), headers: { Host: 'people.example' } }],
  ['headers: other letters', { ...at('/echo'), headers: { 'x-a': 'é€' } }],
  ['headers: a number', { ...at('/echo'), headers: { 'x-a': 1 } }],
  ['headers: empty', { ...at('/echo'), headers: {} }],
  ['headers: an array', { ...at('/echo'), headers: [] }],
  ['headers: a bad name', { ...at('/echo'), headers: { 'x a': 'b' } }],
  ['headers: a line break', { ...at('/echo'), headers: { 'x-a': 'b\r\nx-c: d' } }],
  ...statuses.map((status): [string, Request] => [`status ${status}`, at(`/status/${status}`)]),
  ...Object.keys(documents).flatMap((path): [string, Request][] => [
    [`document ${path}`, at(path)],
    [`document ${path}, forced to be JSON`, { ...at(path), force_json_decode: true }],
    [`document ${path}, forced to be YAML`, { ...at(path), force_yaml_decode: true }],
  ]),
  ['both forced', { ...at('/yaml/plain'), force_yaml_decode: true, force_json_decode: true }],
  ['force_json_decode that is no boolean', { ...at('/perhaps'), force_json_decode: 'true' }],
  ['force_yaml_decode that is no boolean', { ...at('/perhaps'), force_yaml_decode: 1 }],
  ...codes.flatMap((code): [string, Request][] => [
    [`redirect ${code} not followed`, at(`/to/${code}/echo`)],
    [`redirect ${code} of a get`, { ...at(`/to/${code}/echo`), enable_redirect: true }],
    [`redirect ${code} of a post`, { ...at(`/to/${code}/echo`), enable_redirect: true, method: 'post', raw_body: 'b' }],
    [`redirect ${code} of a head`, { ...at(`/to/${code}/echo`), enable_redirect: true, method: 'head' }],
  ]),
  ...['beside', 'twice', 'fragment', 'scheme', 'nowhere'].map((where): [string, Request] => [
    `redirect to ${where}`,
    { ...at(`/to/302/${where}`), enable_redirect: true, headers: { 'x-a': 'b', authorization: 'Bearer x' } },
  ]),
  [
    'redirect with a Host header',
    { ...at('/to/302/echo'), enable_redirect: true, headers: { host: 'people.example' } },
  ],
  [
    'redirect with a content type',
    {
      ...at('/to/302/echo'),
      enable_redirect: true,
      method: 'post',
      body: 1,
      headers: { 'content-type': 'application/json' },
    },
  ],
  ['enable_redirect as a number', { ...at('/to/302/echo'), enable_redirect: 1 }],
  ['enable_redirect as a string', { ...at('/to/302/echo'), enable_redirect: 'true' }],
  ...timeouts.map((timeout): [string, Request] => [
    `timeout ${JSON.stringify(timeout)}`,
    { ...at(timeout === '50ms' || timeout === 50_000_000 ? '/silent' : '/perhaps'), timeout },
  ]),
  ['timeout within the body', { ...at('/half'), timeout: '100ms' }],
  ['a body that is cut off', at('/cut')],
  ['nobody listens', { url: 'http://127.0.0.1:1/' }],
  ['nobody listens, raised', { url: 'http://127.0.0.1:1/', raise_error: true }],
  ['nobody listens to a post', { url: 'http://127.0.0.1:1/', method: 'post' }],
  ['attempts: too few', { ...at('/falls?few'), max_retry_attempts: 1 }],
  ['attempts: enough', { ...at('/falls?enough'), max_retry_attempts: 2 }],
  ['attempts: less than none', { ...at('/echo'), max_retry_attempts: -1 }],
  ['attempts: a half', { ...at('/echo'), max_retry_attempts: 0.5 }],
  ['attempts: a string', { ...at('/echo'), max_retry_attempts: '1' }],
  ['no method', { method: undefined, ...at('/echo') }],
  ['members that are none', { ...at('/echo'), bad: 1, worse: 2 }],
  ['raise_error that is no boolean', { ...at('/echo'), raise_error: 'false' }],
  ['raise_error that is null', { ...at('/echo'), raise_error: null }],
  ['cache that is no boolean', { ...at('/echo'), cache: 1 }],
  ['force_cache without a duration', { ...at('/echo'), force_cache: true }],
  ['force_cache with a duration as text', { ...at('/echo'), force_cache: true, force_cache_duration_seconds: '5' }],
  ['force_cache for a half', { ...at('/echo'), force_cache: true, force_cache_duration_seconds: 0.5 }],
  ['force_cache for too long', { ...at('/echo'), force_cache: true, force_cache_duration_seconds: 3e9 }],
  ['caching_mode that is none', { ...at('/echo'), cache: true, caching_mode: 'other' }],
  ['cache_ignored_headers that are no list', { ...at('/echo'), headers: { a: 'b' }, cache_ignored_headers: 'a' }],
  ['cache_ignored_headers of no strings', { ...at('/echo'), headers: { a: 'b' }, cache_ignored_headers: [1] }],
  ['cache_ignored_headers', { ...at('/echo'), headers: { a: 'b', c: 'd' }, cache_ignored_headers: ['a'] }],
  ['tls_ca_cert that is none', { ...at('/echo'), tls_ca_cert: 'text' }],
  ['tls_ca_cert that is no string', { ...at('/echo'), tls_ca_cert: 1 }],
  ['tls_server_name that is no string', { ...at('/echo'), tls_server_name: 1 }],
  ['tls_insecure_skip_verify as a string', { ...at('/echo'), tls_insecure_skip_verify: 'true' }],
  ['tls_use_system_certs as a number', { ...at('/echo'), tls_use_system_certs: 2 }],
];

/** By name. `@` in front of a URL is the server's address. Each echo is of a place of its own: the server tells them apart. */
export const requests: { readonly [name: string]: Request } = Object.fromEntries(
  named.map(([name, request], at) => {
    const { url } = request;
    return [name, typeof url === 'string' ? { ...request, url: url.replace(/\/echo("?)$/, `/echo?${at}$1`) } : request];
  }),
);
