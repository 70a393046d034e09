import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { bundleName, nameOfPath } from '../arguments.ts';
import { CliCommand, collect } from '../command.ts';
import { type BundleArgument, EXIT, type ExitCode } from '../model.ts';
import { CliError } from '../report.ts';
import type { Session, Start } from '../session.ts';
import { displayed, withNames } from '../sources/sources.ts';

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

/** The file's path from here when one of the bundles alone has such a file; otherwise its name inside its bundle. */
const nameBelow = (session: Session, bundles: readonly BundleArgument[], file: string): string => {
  const [root, ...others] = bundles.filter((bundle) => existsSync(path.join(bundle.path, file)));
  return root === undefined || others.length > 0 ? file : displayed(path.relative(session.host.cwd, root.path), file);
};

const run = async (session: Session, options: { readonly bundle?: readonly string[] }): Promise<ExitCode> => {
  const { host, screen } = session;
  const bundles = await Promise.all((options.bundle ?? []).map((text) => bundleArgument(session, text)));
  const config = await session.config();
  const server = await host.startServer(config, { bundles }).catch((error: unknown) => {
    throw withNames(error, (file) => nameBelow(session, bundles, file));
  });
  const { http, grpc, admin } = server.urls;
  if (screen.json) screen.raw(JSON.stringify({ urls: server.urls }));
  else {
    const overGrpc = grpc === undefined ? '' : ` and ${grpc} (gRPC)`;
    screen.note(`verdict ${host.version}: decisions on ${http}${overGrpc}, admin on ${admin}`);
  }
  const stop = (): void => server.stop();
  host.ending.addEventListener('abort', stop);
  // It may have been aborted while the server started: then no event comes.
  if (host.ending.aborted) stop();
  try {
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
      ['verdict serve --config verdict.yaml --set server.http.port=9000', 'a configuration with one key changed'],
    ],
  )
    .option('--bundle <[name=]path>', 'push and activate this directory or bundle file first; may be repeated', collect)
    .action(start(run, { endsItself: true }));
