// npm run fuzz -- [--seconds N] [--seed N] [--target NAME]: generated cases, each target for its share of the time. A
// case that fails is made small and kept in the corpus, which `npm test` replays: commit it with what mends it.
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { keepCase } from './corpus.ts';
import { targets } from './targets.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    target: { type: 'string' },
  },
});

const seconds = Number(values.seconds);
const seed = Number(values.seed);
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (chosen.length === 0) throw new Error(`--target is one of ${targets.map(({ name }) => name).join(', ')}`);
if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('--seconds is a positive number, --seed an integer');

for (const target of chosen) {
  console.log(`${target.name}: seed ${seed}`);
  await target.open();
  const finding = await target.fuzz({ seed, milliseconds: (seconds * 1_000) / chosen.length });
  await target.close();
  if (finding === undefined) continue;
  const file = path.relative(process.cwd(), keepCase(target.name, finding.text));
  console.log(`${target.name}: ${finding.problem}\n  kept as ${file}; again with --seed ${finding.seed}`);
  process.exitCode = 1;
}
