// Builds dist/ when it is not up to date (always with --force). Runs as npm's prepare script too. The compiler writes
// beside dist/, which is replaced when all is there: who runs or copies the program meanwhile has the old one, whole, and
// two builds at once do not delete each other's files.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root, sourcesDigest } from './stamps.mjs';

const dist = path.join(root, 'dist');
const beside = path.join(root, `dist.${process.pid}`);
const old = `${beside}.old`;
const config = path.join(root, '.cache', `tsconfig.build.${process.pid}.json`);

const stampIn = (folder) => path.join(folder, '.verdict-build');
const isFresh = (digest) => existsSync(stampIn(dist)) && readFileSync(stampIn(dist), 'utf8') === digest;

const fail = (sentence, status = 1) => {
  process.stderr.write(`verdict build: ${sentence}\n`);
  process.exit(status);
};

const compile = (nest) => {
  mkdirSync(path.dirname(config), { recursive: true });
  const own = { extends: '../tsconfig.build.json', compilerOptions: { outDir: `../${path.basename(beside)}` } };
  writeFileSync(config, JSON.stringify(own));
  const argv = [nest, 'build', '--path', path.relative(root, config)];
  return spawnSync(process.execPath, argv, { cwd: root, stdio: ['ignore', 2, 2] }).status;
};

/** Where another build comes between the two steps, what it put there makes way, too. */
const replace = () => {
  for (;;) {
    try {
      if (existsSync(dist)) renameSync(dist, old);
      renameSync(beside, dist);
      return;
    } catch (error) {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code) || !existsSync(beside)) throw error;
    }
    rmSync(old, { recursive: true, force: true });
  }
};

const digest = sourcesDigest();
const isForced = process.argv.includes('--force');
if (!isForced && isFresh(digest)) process.exit(0);

const nest = path.join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
if (!existsSync(nest)) {
  const isThere = existsSync(path.join(dist, 'main.js'));
  // Where the sources were not brought along, what was built of them is all that there can be.
  if (isThere && !existsSync(path.join(root, 'src'))) process.exit(0);
  const why = isThere ? 'dist/ was not built from the sources that are here' : 'dist/ is missing';
  fail(`${why}, and the compiler is not installed; run npm ci without --omit=dev`);
}

process.on('exit', () => {
  for (const left of [beside, old, config]) rmSync(left, { recursive: true, force: true });
});
const status = compile(nest);
if (status !== 0) fail('the sources do not compile; dist/ is as it was', status ?? 1);
writeFileSync(stampIn(beside), digest);
// Another build may have made the same meanwhile, and somebody may have begun to run it.
if (isForced || !isFresh(digest)) replace();
