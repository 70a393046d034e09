// Records how OPA explains an answer of levels/levels.rego at each level: node record-explanations.mjs PATH-TO-OPA
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const here = import.meta.dirname;
const [opa = 'opa'] = process.argv.slice(2);
const address = '127.0.0.1:18282';
// From its folder, so that OPA names the file as a bundle does.
const server = spawn(opa, ['run', '--server', '--log-level', 'error', '--addr', address, 'levels.rego'], {
  cwd: path.join(here, 'levels'),
});
await new Promise((resolve) => setTimeout(resolve, 2_000));

const recorded = {};
for (const level of ['notes', 'fails', 'full', 'debug'])
  for (const pretty of [false, true]) {
    const query = `explain=${level}${pretty ? '&pretty' : ''}`;
    const body = '{"input":{"user":"alice"}}';
    const answer = await fetch(`http://${address}/v1/data/levels/allow?${query}`, { method: 'POST', body });
    recorded[query] = (await answer.json()).explanation;
  }
writeFileSync(path.join(here, 'explanations.json'), `${JSON.stringify(recorded, null, 2)}\n`);
server.kill();
