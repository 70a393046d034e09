import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { bundleName, nameOfPath } from '../arguments.ts';
import { CliCommand, collect } from '../command.ts';
import { type AddedBundle, type BundleArgument, EXIT, type ExitCode, type RunningServer } from '../model.ts';
import { CliError, report } from '../report.ts';
import { count, plain } from '../screen/screen.ts';
import type { Session, Start } from '../session.ts';
import { displayed, leftOutOf, withNames } from '../sources/sources.ts';
import { watchBundles } from '../sources/watch.ts';

/** `PATH` or `NAME=PATH`. A path that exists is a path, also with an equals sign in it. */
const bundleArgument = async (session: Session, text: string): Promise<BundleArgument> => {
  const named = /^([a-z][a-z0-9-]*)=(.+)$/.exec(text);
  const whole = session.resolve(text);
  const exists = async (file: string): Promise<boolean> =>
    stat(file).then(
      () => true,
      () => false,
    );
  if (await exists(whole)) return { name: bundleName(nameOfPath(whole)), path: whole };
  const file = session.resolve(named?.[2] ?? text);
  if (!(await exists(file))) throw new CliError('FILE_UNUSABLE', `${named?.[2] ?? text} is not there`);
  return { name: bundleName(named?.[1] ?? nameOfPath(file)), path: file };
};

/**
 * The file's path from here when it is known which of the bundles it is of: a server says so of files of several
 * (`name@version:file`), and otherwise it is the only one that has such a file. Else its name as it is.
 */
const nameBelow = (session: Session, bundles: readonly BundleArgument[], file: string): string => {
  const [, name, below = file] = /^([a-z][a-z0-9-]*)@\d+:(.+)$/.exec(file) ?? [];
  const [root, ...others] = bundles.filter(
    (bundle) => (name === undefined || bundle.name === name) && existsSync(path.join(bundle.path, below)),
  );
  return root === undefined || others.length > 0 ? file : displayed(path.relative(session.host.cwd, root.path), below);
};

const addedText = ({ name, version, testsPassed }: AddedBundle): string =>
  `bundle ${name}: version ${version} active, ${testsPassed === 0 ? 'no tests' : `${count(testsPassed, 'test')} passed`}`;

/** What no new version says: of files beside one that was there, or that the start took. */
const tellLeftOut = async (
  session: Session,
  bundles: readonly BundleArgument[],
  told = new Set<string>(),
): Promise<void> => {
  for (const { name, path: place } of bundles) {
    for (const note of await leftOutOf(session, place)) {
      const text = `bundle ${name}: ${note}`;
      if (!told.has(text)) session.screen.note(plain(text));
      told.add(text);
    }
  }
};

/** Serves the bundles as their files are, and says what became of each change, until the process is asked to end. */
const serveChanges = async (
  session: Session,
  server: RunningServer,
  bundles: readonly BundleArgument[],
): Promise<void> => {
  const { screen, host } = session;
  const told = new Set<string>();
  // What an author waits for: the first word on a bundle, and the end of a trouble, also where nothing changed.
  let isAwaited = true;
  const tell = (added: AddedBundle): void => {
    if (!added.changed && !isAwaited) return;
    if (screen.json) screen.raw(JSON.stringify(added));
    else screen.note(screen.paintNote('green', addedText(added)));
    for (const note of added.notes) {
      const text = `bundle ${added.name}: ${note}`;
      if (!told.has(text)) screen.note(`  ${plain(note)}`);
      told.add(text);
    }
  };
  await watchBundles({
    bundles,
    ended: host.ending,
    missing: ({ name, path: place }) =>
      screen.warn(`bundle ${name}: ${path.relative(host.cwd, place)} is not there any more; what was active stays`),
    back: ({ name, path: place }) => screen.note(`bundle ${name}: ${path.relative(host.cwd, place)} is there again`),
    take: async (changed, isCurrent) => {
      if (isAwaited) screen.note(`${changed.map(({ name }) => name).join(', ')}: checking and compiling ...`);
      try {
        for (const added of await server.addBundles(changed)) tell(added);
        await tellLeftOut(session, changed, told);
        isAwaited = false;
        return true;
      } catch (error) {
        // Files that changed while they were read are read again: this error may be of a state that never was.
        if (host.ending.aborted || !(await isCurrent())) return false;
        report(
          withNames(error, (file) => nameBelow(session, bundles, file)),
          screen,
        );
        screen.note(`${changed.map(({ name }) => name).join(', ')}: not taken; what was active stays`);
        isAwaited = true;
        return false;
      }
    },
  });
};

interface ServeOptions {
  readonly bundle?: readonly string[];
  readonly watch?: boolean;
}

const run = async (session: Session, options: ServeOptions): Promise<ExitCode> => {
  const { host, screen } = session;
  const watches = options.watch === true;
  const bundles = await Promise.all((options.bundle ?? []).map((text) => bundleArgument(session, text)));
  if (watches && bundles.length === 0) throw new CliError('USAGE', '--watch needs a --bundle to watch');
  const config = await session.config();
  // What is watched may be broken at the start, too: it comes in when it can.
  const server = await host.startServer(config, { bundles: watches ? [] : bundles }).catch((error: unknown) => {
    throw withNames(error, (file) => nameBelow(session, bundles, file));
  });
  const { http, grpc, admin } = server.urls;
  if (screen.json) screen.raw(JSON.stringify({ urls: server.urls }));
  else {
    const overGrpc = grpc === undefined ? '' : ` and ${grpc} (gRPC)`;
    screen.note(`verdict ${host.version}: decisions on ${http}${overGrpc}, admin on ${admin}`);
  }
  if (!watches) await tellLeftOut(session, bundles);
  const stop = (): void => server.stop();
  host.ending.addEventListener('abort', stop);
  // It may have been aborted while the server started: then no event comes.
  if (host.ending.aborted) stop();
  try {
    if (watches) await serveChanges(session, server, bundles);
    await server.stopped;
  } finally {
    host.ending.removeEventListener('abort', stop);
  }
  return EXIT.done;
};

export const serveCommand = (start: Start): CliCommand =>
  new CliCommand(
    'serve',
    'Start the server: decisions on 127.0.0.1:8181 and 9191 (gRPC), the admin API on 127.0.0.1:8282.',
    [
      ['verdict serve --bundle policies/todo', 'serve a directory of Rego as the bundle "todo"'],
      ['verdict serve --bundle shop=build/policy.tar.gz', 'serve a bundle file under another name'],
      ['verdict serve --watch --bundle policies/todo', 'write a policy with the server running'],
      ['verdict serve --config verdict.yaml --set server.http.port=9000', 'a configuration with one key changed'],
    ],
  )
    .option('--bundle <[name=]path>', 'push and activate this directory or bundle file first; may be repeated', collect)
    .option(
      '--watch',
      'take each change of these bundles while the server runs; one with an error leaves what is active',
    )
    .action(start(run, { endsItself: true }));
