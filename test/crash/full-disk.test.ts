import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { load, post } from '../load/client.ts';
import { readDecisionIds } from '../support/log-ids.ts';
import { root, startServerProcess, temporaryFolder } from '../support/server-process.ts';

const DECISION_ID = /"decision_id":"([^"]+)"/;

/** A disk of its own, or why there is none. */
const mount = (folder: string): string | undefined => {
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder], {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `mounting a tmpfs needs root: ${error?.message ?? stderr.trim()}`;
};

const fill = (ballast: string, keptBytes: number): void => {
  const { bavail, bsize } = statfsSync(path.dirname(ballast));
  writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - keptBytes)));
};

test('a disk that fills up under load: refusals with a reason, nothing lost, and on it goes when there is room', async (context) => {
  const { folder, remove } = temporaryFolder('full-disk');
  const why = mount(folder);
  if (why !== undefined) {
    remove();
    // Where everything must have run, nothing is left out.
    if (process.env.VERDICT_ALL_TESTS === '1') throw new Error(why);
    context.skip(why);
  }
  const storage = path.join(folder, 'storage');
  mkdirSync(storage, { mode: 0o700 });
  const ballast = path.join(folder, 'ballast');
  const server = await startServerProcess({
    storage,
    args: ['--set', 'server.drainSeconds=0', '--bundle', path.join(root, 'bundles', 'todo.tar.gz')],
  });
  const answered = new Set<string>();
  const refusals: string[] = [];
  const asked = async (enough: () => boolean): Promise<void> => {
    const { unanswered } = await load({
      port: server.port,
      connections: 8,
      request: (n) =>
        enough()
          ? undefined
          : post(
              '/v1/data/todo/allow',
              `{"input":{"subject":{"type":"user","id":"u"},"action":{"name":"x"},"n":${n}}}`,
            ),
      onAnswer: ({ status, body }) => {
        const id = DECISION_ID.exec(body)?.[1];
        if (status === 200 && id !== undefined) answered.add(id);
        else refusals.push(`${status} ${body}`);
      },
    });
    expect(unanswered).toBe(0);
  };
  const readiness = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${server.port}/health/ready`);
    return `${response.status} ${await response.text()}`;
  };
  try {
    await asked(() => answered.size >= 200);
    expect(refusals).toEqual([]);
    fill(ballast, 300_000);
    await asked(() => refusals.length >= 500);
    const before = answered.size;
    expect(before).toBeGreaterThan(200);
    for (const refusal of refusals) expect(refusal).toMatch(/^500 [\s\S]*could not be recorded[\s\S]*ENOSPC/);
    expect(await readiness()).toMatch(/^500 [\s\S]*ENOSPC/);
    // Whoever asks is told what failed, and not where on this machine.
    expect([...refusals, await readiness()].filter((text) => text.includes(folder))).toEqual([]);

    rmSync(ballast);
    // No question is asked meanwhile: the log tries by itself.
    await expect.poll(readiness, { timeout: 30_000 }).toMatch(/^200/);
    refusals.length = 0;
    await asked(() => answered.size >= before + 500);
    expect(refusals).toEqual([]);
    expect((await server.kill('SIGTERM')).code).toBe(0);
    const recorded = await readDecisionIds(storage);
    expect([...answered].filter((id) => !recorded.has(id))).toEqual([]);
  } finally {
    await server.kill('SIGKILL');
    spawnSync('umount', [folder]);
    remove();
  }
}, 120_000);
