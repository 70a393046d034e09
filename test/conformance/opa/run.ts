// npm run conformance: OPA's cases against the toolchain and the engine. `--only TEXT` runs the cases whose name has the
// text, `--write` rewrites docs/reference/conformance.md, which has to be as the run gives it otherwise, `--json FILE`
// keeps every outcome. Needs Go, or OPA_MODULE_DIR.
import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { opaVersion } from '../../../src/rego/index.ts';
import { type Outcome, pageOf, readKnown, tallyOf } from './report.ts';

const shards = 2;

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, write: { type: 'boolean' }, json: { type: 'string' } },
});

const runShard = (shard: number): Promise<readonly Outcome[]> =>
  new Promise((resolve, reject) => {
    const child = fork(new URL('./shard.ts', import.meta.url), [String(shard), String(shards), values.only]);
    let outcomes: readonly Outcome[] | undefined;
    child.on('message', (message) => {
      outcomes = message as readonly Outcome[];
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (outcomes && code === 0) resolve(outcomes);
      else reject(new Error(`a process that ran cases ended with code ${code}`));
    });
  });

const list = readKnown();
const shardOutcomes = await Promise.all(Array.from({ length: shards }, (_, shard) => runShard(shard)));
const outcomes = shardOutcomes.flat();
const tally = tallyOf(outcomes, list);
const stale = values.only === '' ? tally.stale : [];

for (const { version, topic, note, stage, problem } of tally.failed) {
  console.log(`FAILED ${version} ${topic}: ${note}\n  ${stage}: ${problem}`);
}
for (const { note, in: version } of stale) console.log(`NOT FAILING ${version ?? ''} ${note}: take it off known.yaml`);
const byStage = Map.groupBy(tally.failed, ({ stage }) => stage ?? 'evaluate');
for (const [stage, of] of byStage) {
  const topics = [...Map.groupBy(of, ({ topic }) => topic)].map(([topic, some]) => `${topic} ${some.length}`);
  console.log(`failed to ${stage}: ${of.length} (${topics.join(', ')})`);
}
const { passed, known, failed } = tally;
console.log(`${outcomes.length} cases: ${passed} passed, ${known.length} known to fail, ${failed.length} failed`);
if (values.json) writeFileSync(values.json, JSON.stringify(outcomes));
const page = new URL('../../../docs/reference/conformance.md', import.meta.url);
const text = pageOf(outcomes, list, opaVersion);
if (values.write && values.only === '') writeFileSync(page, text);
const isOld = values.only === '' && readFileSync(page, 'utf8') !== text;
if (isOld) console.log('docs/reference/conformance.md is not what this run gives: run it with --write');
process.exitCode = failed.length + stale.length === 0 && !isOld ? 0 : 1;
