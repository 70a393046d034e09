// Builds dist/ when it is not up to date (always with --force). Runs as npm's prepare script too: an install without
// development dependencies has no compiler, and is fine when dist/ is there already.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root, sourcesDigest } from './stamps.mjs';

const stamp = path.join(root, 'dist', '.verdict-build');
const digest = sourcesDigest();
const fresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === digest;
if (fresh && !process.argv.includes('--force')) process.exit(0);

const nest = path.join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
if (!existsSync(nest)) {
  if (existsSync(path.join(root, 'dist', 'main.js'))) process.exit(0);
  process.stderr.write(
    'verdict build: dist/ is missing and the compiler is not installed; run npm ci without --omit=dev\n',
  );
  process.exit(1);
}
const result = spawnSync(process.execPath, [nest, 'build'], { cwd: root, stdio: ['ignore', 2, 2] });
if (result.status !== 0) process.exit(result.status ?? 1);
writeFileSync(stamp, digest);
