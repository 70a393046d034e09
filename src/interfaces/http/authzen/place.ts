import type { ActivePolicy } from '../../../decision/index.ts';
import { RequestError } from '../../wire/index.ts';
import type { Exchange, Service } from '../exchange.ts';

/** What answers a request: read once, when its body is there. */
export interface Place {
  readonly active: ActivePolicy;
  readonly path: readonly string[];
}

/** More names than this help nobody who mistyped one. */
const MOST_NAMED = 10;

// Whoever asks for ever new names gets them looked up, and not every bundle with them.
const answering = new WeakMap<ActivePolicy, readonly string[]>();

/** The active bundles that answer AuthZEN, in order of name. */
const answeringIn = (active: ActivePolicy): readonly string[] => {
  const known = answering.get(active);
  if (known !== undefined) return known;
  const names = [...active.versions.keys()].filter((name) => active.authzenPath(name) !== undefined).sort();
  answering.set(active, names);
  return names;
};

/** Who does answer, as the end of a sentence; what the caller's token is not for stays unnamed. */
const othersIn = (active: ActivePolicy, { caller }: Exchange): string => {
  const { bundles } = caller;
  const names = answeringIn(active).filter((name) => bundles === undefined || bundles.includes(name));
  if (names.length === 0) return 'no active bundle does';
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `${names.slice(0, MOST_NAMED).join(', ')}${more} ${names.length === 1 ? 'does' : 'do'}`;
};

const refusal = (active: ActivePolicy, exchange: Exchange, bundle: string | undefined): string => {
  const others = othersIn(active, exchange);
  if (bundle === undefined)
    return (
      'no active bundle is named to answer AuthZEN without a name in the path: ask under ' +
      `/{bundle}/access/v1/ (${others}), or set authzen.bundle`
    );
  if (active.versions.has(bundle))
    return (
      `the bundle ${bundle} is active, but does not answer AuthZEN: it serves no rule whose METADATA has ` +
      `custom.authzen: {evaluation: true}, nor a rule allow under its only root (${others})`
    );
  return `no bundle ${bundle} is active that could answer AuthZEN (${others})`;
};

/** What answers a request, to its end; throws RequestError when nothing does. */
export const placeOf = (service: Service, exchange: Exchange, bundle: string | undefined): Place => {
  const active = service.policy.current;
  const path = active.authzenPath(bundle);
  if (path !== undefined) return { active, path };
  // With nothing active the decision itself says not_ready, for the record too.
  if (active.versions.size === 0) return { active, path: [] };
  throw new RequestError('route_unknown', refusal(active, exchange, bundle));
};
