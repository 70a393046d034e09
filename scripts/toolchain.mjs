// Builds OPA's toolchain (toolchain/) as one Wasm module, writes it compressed beside its source with its SHA-256 and
// the licences of everything in it. With --check it builds into a temporary folder and compares the digest only.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { withMemoryMaximum } from '../src/rego/memory-maximum.ts';
import { defaultMemoryBytes } from '../src/rego/module-file.ts';
import { root } from './stamps.mjs';
import { licences } from './toolchain-licences.mjs';

const folder = path.join(root, 'toolchain');
const compressedFile = path.join(folder, 'rego.wasm.br');
const digestFile = path.join(folder, 'rego.wasm.sha256');

const say = (text) => process.stderr.write(`verdict toolchain: ${text}\n`);
const fail = (text) => {
  say(text);
  process.exit(1);
};

// Settings of the person at the keyboard must not reach the module: the same source gives the same bytes everywhere.
const environment = {
  ...process.env,
  GOOS: 'wasip1',
  GOARCH: 'wasm',
  GOWASM: '',
  GOFLAGS: '-mod=readonly',
  GOEXPERIMENT: '',
  CGO_ENABLED: '0',
};

const go = (...args) => {
  const result = spawnSync('go', args, { cwd: folder, env: environment, encoding: 'utf8', maxBuffer: 256 << 20 });
  if (result.error) fail(`Go is needed to build the toolchain, and could not be run: ${result.error.message}`);
  if (result.status !== 0) fail(`go ${args[0]} ended with status ${result.status}\n${result.stderr}`);
  return result.stdout;
};

const checkGo = () => {
  const wanted = /^toolchain (go\S+)$/m.exec(readFileSync(path.join(folder, 'go.mod'), 'utf8'))?.[1];
  const found = go('env', 'GOVERSION').trim();
  if (found !== wanted) fail(`toolchain/go.mod pins ${wanted}, this is ${found}: another compiler makes other bytes`);
};

const build = () => {
  const out = mkdtempSync(path.join(tmpdir(), 'verdict-toolchain-'));
  try {
    const file = path.join(out, 'rego.wasm');
    const flags = ['-buildmode=c-shared', '-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid='];
    go('build', ...flags, '-o', file, '.');
    return withMemoryMaximum(readFileSync(file), defaultMemoryBytes);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
};

const compress = (bytes) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });

checkGo();
say('building ...');
const bytes = build();
const digest = createHash('sha256').update(bytes).digest('hex');
if (process.argv.includes('--check')) {
  const wanted = readFileSync(digestFile, 'utf8').trim();
  if (digest !== wanted) fail(`toolchain/rego.wasm.sha256 says ${wanted}, the source gives ${digest}`);
  say(`the source gives ${digest}, as recorded`);
} else {
  say(`compressing ${bytes.length} bytes (a minute or two) ...`);
  const compressed = compress(bytes);
  writeFileSync(compressedFile, compressed);
  writeFileSync(digestFile, `${digest}\n`);
  const texts = licences(go);
  writeFileSync(path.join(folder, 'THIRD-PARTY'), texts.all);
  writeFileSync(path.join(folder, 'LICENSE-OPA'), texts.opa);
  say(`toolchain/rego.wasm.br: ${compressed.length} bytes, SHA-256 of the module ${digest}`);
}
