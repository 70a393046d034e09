import path from 'node:path';
import { load, post } from '../load/client.ts';
import { readDecisionIds } from '../support/log-ids.ts';
import { root, startServerProcess, temporaryFolder } from '../support/server-process.ts';

export interface KillResult {
  readonly rounds: number;
  /** Decisions that a client had in hand. */
  readonly answered: number;
  /** Records that the independent reader found in the end. */
  readonly recorded: number;
  /** Decisions that were answered and are not in the log, each with its round: must be empty. */
  readonly lost: readonly string[];
}

const DECISION_ID = /"decision_id":"([^"]+)"/;

const question = (n: number): Buffer =>
  post(
    '/v1/data/todo/allow',
    // Every third question repeats an earlier one, so that hits are killed as well as misses.
    `{"input":{"subject":{"type":"user","id":"u"},"action":{"name":"can_read_todos"},"resource":{"type":"todo","id":"${n - (n % 3)}"}}}`,
  );

/**
 * Starts the server on the same storage again and again, asks it from eight connections, and kills it (SIGKILL) after
 * a number of answers that nobody chose. Every answer that reached a client must be in the log afterwards.
 *
 * @param pauses milliseconds to wait after the first answer of each round, one entry a round
 */
export const killRounds = async (
  pauses: readonly number[],
  onRound?: (round: number, answered: number) => void,
): Promise<KillResult> => {
  const { folder, remove } = temporaryFolder('kill');
  const answered = new Map<string, number>();
  try {
    for (const [round, pause] of pauses.entries()) {
      const server = await startServerProcess({
        storage: folder,
        args: ['--bundle', path.join(root, 'bundles', 'todo.tar.gz')],
      });
      let killed: Promise<unknown> | undefined;
      await load({
        port: server.port,
        connections: 8,
        request: (n) => question(round * 1_000_000 + n),
        onAnswer: ({ status, body }) => {
          const id = DECISION_ID.exec(body)?.[1];
          if (status !== 200 || id === undefined) throw new Error(`unexpected answer: ${status} ${body}`);
          answered.set(id, round);
          killed ??= new Promise((resolve) => setTimeout(resolve, pause)).then(() => server.kill('SIGKILL'));
        },
      });
      await killed;
      onRound?.(round, answered.size);
    }
    // One more start, so that recovery has seen the last torn tail; then an orderly end.
    const last = await startServerProcess({ storage: folder, args: ['--set', 'server.drainSeconds=0'] });
    await last.kill('SIGTERM');
    const recorded = await readDecisionIds(folder);
    return {
      rounds: pauses.length,
      answered: answered.size,
      recorded: recorded.size,
      lost: [...answered].filter(([id]) => !recorded.has(id)).map(([id, round]) => `${id} of round ${round}`),
    };
  } finally {
    remove();
  }
};
