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

const buf = (...args) => {
  const command = ['--yes', ...packages.flatMap((name) => ['-p', name]), '--', 'buf', ...args];
  const { status, error } = spawnSync('npx', command, { cwd: protos, stdio: ['ignore', 2, 2] });
  if (error !== undefined) process.stderr.write(`npx cannot be run: ${error.message}\n`);
  if (status !== 0) process.exit(status ?? 1);
};

const filesOf = (folder) =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(folder, file), readFileSync(file, 'utf8')]),
  );

const differences = (wanted, found) =>
  [...new Set([...wanted.keys(), ...found.keys()])].filter((name) => wanted.get(name) !== found.get(name)).sort();

buf('lint');
if (process.argv.includes('--check')) {
  const fresh = mkdtempSync(path.join(tmpdir(), 'verdict-proto-'));
  try {
    buf('format', '--exit-code', '--diff');
    buf('generate', '--output', fresh);
    const stale = differences(filesOf(path.join(fresh, 'gen')), filesOf(generated));
    if (stale.length > 0) {
      process.stderr.write(`not what proto/ gives, run npm run proto: ${stale.join(', ')}\n`);
      process.exit(1);
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
} else buf('generate', '--output', path.dirname(generated));
