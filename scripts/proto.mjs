// Writes the TypeScript of proto/ with buf and protoc-gen-es, in the versions named here, after buf has linted it. With
// --check nothing is written, and the exit code says whether what is under version control is what would be.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './stamps.mjs';

const packages = ['@bufbuild/buf@1.75.0', '@bufbuild/protoc-gen-es@2.17.0'];
const protos = path.join(root, 'proto');
const generated = path.join(root, 'src', 'interfaces', 'grpc', 'gen');

/** Runs buf's commands one after the other, up to one that fails, in one npx: it looks its packages up anew each time. */
const buf = (out, ...commands) => {
  const script = commands.map((command) => `buf ${command}`).join(' && ');
  const args = ['--yes', ...packages.flatMap((name) => ['-p', name]), '-c', script];
  const { status, error } = spawnSync('npx', args, {
    cwd: protos,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, VERDICT_PROTO_OUT: out },
  });
  if (error !== undefined) process.stderr.write(`npx cannot be run: ${error.message}\n`);
  if (status !== 0) process.exit(status ?? 1);
};
const GENERATE = 'generate --output "$VERDICT_PROTO_OUT"';

const filesOf = (folder) =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(folder, file), readFileSync(file, 'utf8')]),
  );

const differences = (wanted, found) =>
  [...new Set([...wanted.keys(), ...found.keys()])].filter((name) => wanted.get(name) !== found.get(name)).sort();

if (process.argv.includes('--check')) {
  const fresh = mkdtempSync(path.join(tmpdir(), 'verdict-proto-'));
  try {
    buf(fresh, 'lint', 'format --exit-code --diff', GENERATE);
    const stale = differences(filesOf(path.join(fresh, 'gen')), filesOf(generated));
    if (stale.length > 0) {
      process.stderr.write(`not what proto/ gives, run npm run proto: ${stale.join(', ')}\n`);
      process.exit(1);
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
} else buf(path.dirname(generated), 'lint', GENERATE);
