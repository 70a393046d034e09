import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort, root, temporaryFolder } from '../support/server-process.ts';

/** What a reader of a guide does next: save a file that it shows, or type commands. */
export type Step = { readonly file: string; readonly text: string } | { readonly commands: string };

/** The files (a fence under a line that ends in "`name`:") and the commands (a fence `sh`) of a page, in its order. */
export const stepsOf = (page: string): readonly Step[] => {
  const text = readFileSync(path.join(root, 'docs', 'guides', page), 'utf8');
  const fences = text.matchAll(/(?:`([^`\n]+)`:\n\n)?```(\w*)\n([\s\S]*?)```/g);
  return [...fences].flatMap(([, file, kind, body = '']): Step[] => {
    if (file !== undefined) return [{ file, text: body }];
    return kind === 'sh' ? [{ commands: body }] : [];
  });
};

/** A reader with a folder, two free ports, and `verdict` among their commands. */
export interface Reader {
  readonly folder: string;
  /** Does the next step, and gives what the commands wrote to stdout; rejects when one of them fails. */
  next(): Promise<string>;
  /** Whether every step was done. */
  done(): boolean;
  end(): Promise<void>;
}

const isReady = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  );

/**
 * Follows a page. Ports are free ones of this machine; a fence whose first command is `verdict serve` is left running,
 * as in a terminal of its own.
 */
export const follow = async (page: string): Promise<Reader> => {
  const { folder, remove } = temporaryFolder('guide');
  const ports = { http: await freePort(), admin: await freePort() };
  const steps = [...stepsOf(page)];
  const ends: (() => Promise<unknown>)[] = [];
  const env = {
    ...process.env,
    PATH: [path.join(root, 'bin'), path.join(root, 'node_modules', '.bin'), process.env.PATH].join(path.delimiter),
    VERDICT_SERVER__HTTP__PORT: String(ports.http),
    VERDICT_SERVER__ADMIN__PORT: String(ports.admin),
    VERDICT_SERVER__GRPC__PORT: '0',
    VERDICT_SERVER__DRAIN_SECONDS: '0',
  };
  const local = (text: string): string =>
    text
      .replaceAll('127.0.0.1:8181', `127.0.0.1:${ports.http}`)
      .replaceAll('127.0.0.1:8282', `127.0.0.1:${ports.admin}`);
  const serve = async (commands: string): Promise<string> => {
    const child = spawn('sh', ['-ec', `exec ${commands}`], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    ends.push(() => {
      child.kill('SIGTERM');
      return ended;
    });
    while (!(await isReady(ports.http))) {
      if (child.exitCode !== null) throw new Error(errors);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return '';
  };
  return {
    folder,
    next: async () => {
      const step = steps.shift();
      if (step === undefined) throw new Error(`${page} has no more steps`);
      if ('commands' in step) {
        const commands = local(step.commands);
        if (commands.startsWith('verdict serve')) return serve(commands);
        return (await promisify(execFile)('sh', ['-ec', commands], { cwd: folder, env })).stdout;
      }
      const file = path.join(folder, step.file);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, local(step.text));
      return '';
    },
    done: () => steps.length === 0,
    end: async () => {
      for (const end of ends) await end();
      remove();
    },
  };
};
