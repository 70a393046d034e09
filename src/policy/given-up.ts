import type { ActivePolicy } from '../decision/model.ts';
import { isOwned, segmentsOf } from './content/roots.ts';
import type { VersionInfo } from './model.ts';

const MOST_SHOWN = 5;

/** What a version, active or to be so, gives up of what was active before it. */
export const rootsGivenUp = (before: VersionInfo | undefined, after: VersionInfo): string[] => {
  const lost = before?.roots.filter((root) => !isOwned(segmentsOf(root), after.roots)) ?? [];
  if (before === undefined || lost.length === 0) return [];
  const roots = `${lost.slice(0, MOST_SHOWN).join(', ')}${lost.length > MOST_SHOWN ? ', ...' : ''}`;
  const whose = `of ${before.name}@${before.version}`;
  return after.state === 'active'
    ? [`the roots ${roots} ${whose} are given up: nothing of it answers there any more`]
    : [`its activation would give up the roots ${roots} ${whose}: nothing of it would answer there any more`];
};

/** The bundle that answers AuthZEN without a name in the path because it is the only one; undefined when none does. */
const onlyAnswering = ({ versions, authzenPath }: ActivePolicy): string | undefined => {
  const [name] = versions.keys();
  return versions.size === 1 && authzenPath() !== undefined ? name : undefined;
};

const UNNAMED = 'AuthZEN questions that name no bundle (/access/v1/evaluation)';
const remedy = (only: string): string => `set authzen.bundle to ${only}, or ask under /${only}/access/v1/`;

/** What a version, now active, ended of what answered AuthZEN before its activation. */
export const authzenGivenUp = (before: ActivePolicy, after: ActivePolicy, { name, version }: VersionInfo): string[] => {
  const only = onlyAnswering(before);
  const isSecond = only !== undefined && only !== name && after.authzenPath() === undefined;
  const isOver = before.authzenPath(name) !== undefined && after.authzenPath(name) === undefined;
  return [
    ...(isSecond
      ? [`${UNNAMED} were answered by ${only} while it was the only active one, and are a 404 now: ${remedy(only)}`]
      : []),
    ...(isOver
      ? [
          `${name}@${version} does not answer AuthZEN as the version before it did: it serves no rule whose METADATA ` +
            'has custom.authzen: {evaluation: true}, nor a rule allow under its only root',
        ]
      : []),
  ];
};

/** What the activation of a version would end for those who ask AuthZEN. `isNamed`: `authzen.bundle` is set. */
export const authzenToGiveUp = (active: ActivePolicy, { name }: VersionInfo, isNamed: boolean): string[] => {
  const only = isNamed ? undefined : onlyAnswering(active);
  return only === undefined || only === name
    ? []
    : [
        `its activation would end the answers to ${UNNAMED}, which ${only} gives as the only active one: ${remedy(only)}`,
      ];
};
