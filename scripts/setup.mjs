// Prepares a checkout: installs what package-lock.json names (Node 24 among it) and builds dist/. Plain JavaScript,
// because the first run happens under whatever Node the machine has. A second run finds its stamps and does nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { digestOf, root, sourcesDigest } from './stamps.mjs';

const say = (text) => process.stderr.write(`verdict setup: ${text}\n`);
const fail = (text) => {
  say(text);
  process.exit(1);
};

if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`Node ${process.versions.node} is too old even to set up; any Node from 20 on will do (the project brings 24).`);
}

// npm puts node_modules/.bin and its own settings into the environment of scripts; a nested npm must not inherit a
// half-made tree's answer to "which node".
const run = (command, args) => {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (result.error) fail(`could not run ${command}: ${result.error.message}`);
  if (result.status !== 0) fail(`${command} ${args.join(' ')} ended with status ${result.status ?? result.signal}`);
};

// Two set-ups at once would delete each other's packages: the second waits for the first.
const lock = path.join(root, '.verdict-setup.lock');
const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};
const takeLock = () => {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    const owner = Number(readFileSync(lock, 'utf8'));
    if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
  } catch {
    // Gone between the two calls: the next try takes it.
  }
  return false;
};
for (let waited = 0; !takeLock(); waited++) {
  if (waited === 10) say('another set-up is at work in this checkout; waiting for it ...');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
}
process.on('exit', () => rmSync(lock, { force: true }));

const modules = path.join(root, 'node_modules');
const lockStamp = path.join(modules, '.verdict-setup');
const lockDigest = digestOf(['package-lock.json']);
if (!existsSync(lockStamp) || readFileSync(lockStamp, 'utf8') !== lockDigest) {
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    // npm would empty what the link leads to, under whoever uses it.
    fail('node_modules is a link to another folder: install there, or remove the link, and run the command again.');
  }
  say('installing dependencies (npm ci) ...');
  run('npm', ['ci', '--ignore-scripts', '--loglevel=error']);
  writeFileSync(lockStamp, lockDigest);
}

const node = path.join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
if (!existsSync(node) && Number(process.versions.node.split('.')[0]) < 24) {
  fail(
    `Verdict needs Node 24 or newer. npm has no Node 24 package for ${process.platform}-${process.arch} and this one is ` +
      `${process.versions.node}: install Node 24 (nodejs.org) and run the command again.`,
  );
}

const buildStamp = path.join(root, 'dist', '.verdict-build');
if (!existsSync(buildStamp) || readFileSync(buildStamp, 'utf8') !== sourcesDigest()) {
  say('building dist/ ...');
  run(existsSync(node) ? node : process.execPath, [path.join(root, 'scripts', 'build.mjs')]);
}
