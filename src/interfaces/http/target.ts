import type { TraceLevel } from '../../rego/index.ts';
import { TRACE_LEVELS } from '../../rego/index.ts';
import { boundPath, RequestError, segmentsOf } from '../wire/index.ts';

/** Options of the Data API, as OPA reads them from a query string. */
export interface DataOptions {
  readonly pretty: boolean;
  readonly provenance: boolean;
  readonly metrics: boolean;
  readonly explain?: TraceLevel;
  readonly strictErrors: boolean;
  /** The last `input`, for GET. */
  readonly input?: string;
}

export type Route =
  | { readonly kind: 'data'; readonly wire: 'opa.v1' | 'opa.v0' | 'opa.default'; readonly path: readonly string[] }
  | { readonly kind: 'batch'; readonly path: readonly string[] }
  | { readonly kind: 'authzen'; readonly batch: boolean; readonly bundle?: string }
  | { readonly kind: 'metadata'; readonly bundle?: string }
  | { readonly kind: 'health'; readonly name: string }
  | { readonly kind: 'unoffered'; readonly what: string }
  | { readonly kind: 'redirect'; readonly status: 301 | 307; readonly location: string }
  /** A path of the admin API, which another listener answers. */
  | { readonly kind: 'elsewhere'; readonly what: string }
  | { readonly kind: 'unknown' };

/** A request target, taken apart. */
export interface Target {
  readonly text: string;
  readonly route: Route;
  readonly options: DataOptions;
  /** Flags of /health: readiness is asked for. */
  readonly readiness: boolean;
}

/** OPA's reading of a flag: there without a value, or with `true` among its values. */
const flag = (parameters: URLSearchParams, name: string): boolean =>
  parameters.getAll(name).some((value) => value === '' || value.toLowerCase() === 'true');

export const noOptions: DataOptions = {
  pretty: false,
  provenance: false,
  metrics: false,
  strictErrors: false,
};

const optionsOf = (parameters: URLSearchParams): DataOptions => {
  const input = parameters.getAll('input').at(-1);
  const asked = parameters.getAll('explain');
  const explain = TRACE_LEVELS.find((level) => asked.includes(level));
  return {
    pretty: flag(parameters, 'pretty'),
    provenance: flag(parameters, 'provenance'),
    metrics: flag(parameters, 'metrics') || flag(parameters, 'instrument'),
    ...(explain === undefined ? {} : { explain }),
    strictErrors: flag(parameters, 'strict-builtin-errors'),
    ...(input === undefined ? {} : { input }),
  };
};

/** The path with `.`, `..` and empty segments resolved, as Go's router asks for it. */
const cleaned = (path: string): string => {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`;
};

const UNCLEAN = /\/(?:\/|\.{1,2}(?:\/|$))/;
const BUNDLE = /^\/([a-z][a-z0-9-]{0,62})\/access\/v1\/(evaluations?)$/;
const METADATA = /^\/\.well-known\/authzen-configuration(?:\/([a-z][a-z0-9-]{0,62}))?$/;
const BATCH = '/v1/batch/data';
const ADMIN = /^\/(metrics|openapi\.json|v1\/(?:bundles|decisions|explain|tokens))(?:\/|$)/;
const UNOFFERED = /^\/v1\/(config|status|query|compile|policies|batch)(?:\/|$)/;

const below = (path: string, root: string): boolean =>
  path.startsWith(root) && (path.length === root.length || path[root.length] === '/');

const routeOf = (path: string, query: string, defaultPath: readonly string[]): Route => {
  if (UNCLEAN.test(path)) return { kind: 'redirect', status: 307, location: cleaned(path) + query };
  if (path === '/') return { kind: 'data', wire: 'opa.default', path: defaultPath };
  for (const [root, wire] of [
    ['/v1/data', 'opa.v1'],
    ['/v0/data', 'opa.v0'],
  ] as const) {
    if (!below(path, root)) continue;
    if (path.endsWith('/')) return { kind: 'redirect', status: 301, location: path.slice(0, -1) };
    return { kind: 'data', wire, path: segmentsOf(path.slice(root.length)) };
  }
  if (below(path, BATCH)) return { kind: 'batch', path: segmentsOf(path.slice(BATCH.length)) };
  if (path === '/access/v1/evaluation' || path === '/access/v1/evaluations') {
    return { kind: 'authzen', batch: path.endsWith('s') };
  }
  if (path === '/health/') return { kind: 'redirect', status: 301, location: '/health' };
  if (below(path, '/health')) return { kind: 'health', name: path.slice('/health/'.length) };
  const [, bundle, api] = BUNDLE.exec(path) ?? [];
  if (bundle !== undefined) return { kind: 'authzen', batch: api === 'evaluations', bundle };
  const metadata = METADATA.exec(path);
  if (metadata !== null) return { kind: 'metadata', ...(metadata[1] === undefined ? {} : { bundle: metadata[1] }) };
  const [, unoffered] = UNOFFERED.exec(path) ?? [];
  if (unoffered !== undefined) return { kind: 'unoffered', what: unoffered };
  const [, elsewhere] = ADMIN.exec(path) ?? [];
  return elsewhere === undefined ? { kind: 'unknown' } : { kind: 'elsewhere', what: elsewhere };
};

/** Takes a request target apart; throws RequestError when it cannot be one. */
export const readTarget = (text: string, pathBytes: number, defaultPath: readonly string[]): Target => {
  if (!text.startsWith('/')) throw new RequestError('path_invalid', 'invalid path: the request target is no path');
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  boundPath(path, pathBytes);
  const query = mark < 0 ? '' : text.slice(mark);
  const route = routeOf(path, query, defaultPath);
  if (query.length < 2) return { text, route, options: noOptions, readiness: false };
  const parameters = new URLSearchParams(query);
  const readiness = ['bundle', 'bundles', 'plugin', 'plugins'].some((name) => flag(parameters, name));
  return { text, route, options: optionsOf(parameters), readiness };
};

/** Remembers the targets that come again and again; a target with an `input` is not one of them. */
export const targetReader = (pathBytes: number, defaultPath: readonly string[]): ((text: string) => Target) => {
  const known = new Map<string, Target>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const target = readTarget(text, pathBytes, defaultPath);
    if (target.options.input !== undefined || text.length > 512) return target;
    // Whoever sends ever new targets costs a rebuild of this map, and no more memory than it has.
    if (known.size >= 1_000) known.clear();
    // A copy: the text may be a view of all that came with it, which would be kept.
    const copy = Buffer.from(text).toString();
    const kept = readTarget(copy, pathBytes, defaultPath);
    known.set(copy, kept);
    return kept;
  };
};
