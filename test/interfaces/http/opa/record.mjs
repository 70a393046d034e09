// Records what OPA answers to the requests of requests.json over the rules in shop/: node record.mjs PATH-TO-OPA
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';

const here = import.meta.dirname;
const [opa = 'opa'] = process.argv.slice(2);
const requests = JSON.parse(readFileSync(path.join(here, 'requests.json'), 'utf8'));
const port = 18_281;
const server = spawn(opa, [
  'run',
  '--server',
  '--log-level',
  'error',
  '--set',
  'default_decision=/shop/main',
  '--addr',
  `127.0.0.1:${port}`,
  path.join(here, 'shop'),
]);
await new Promise((resolve) => setTimeout(resolve, 2_000));

const ask = ({ method, path: target, headers = {}, body }) =>
  new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: target, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        const { location, vary, allow } = response.headers;
        const type = response.headers['content-type'];
        resolve({ status: response.statusCode, headers: { 'content-type': type, location, vary, allow }, body: text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });

const recorded = [];
for (const one of requests) recorded.push({ request: one, response: await ask(one) });
// Files are named from here: where the recording took place is nobody's matter.
const text = JSON.stringify(recorded, null, 2).replaceAll(`${here}/`, '/');
writeFileSync(path.join(here, 'recorded.json'), `${text}\n`);
server.kill();
