import { messageOf, VerdictError } from '../../../canonical/index.ts';
import type { Answer, Caller } from '../../../decision/index.ts';
import type { CheckedJson } from '../../../engine/index.ts';
import { holdsFor, SOURCE_READERS } from '../../../identity/index.ts';
import { PolicyError } from '../../../policy/index.ts';
import type { TraceLevel } from '../../../rego/index.ts';
import { regoFromJson } from '../../../rego/index.ts';
import type { Exchange, Service } from '../exchange.ts';
import type { Asked } from './reply.ts';

const checkBundle =
  (caller: Caller) =>
  (name: string): void => {
    if (!holdsFor(caller, name))
      throw new PolicyError(
        'EXPLAIN_IMPOSSIBLE',
        `the token ${caller.name} does not hold for all bundles that answered`,
      );
  };

/** OPA's `explanation` for an answer that was made, or why there is none. Never rejects. */
export const explanationOf = async (
  service: Service,
  { caller, target: { options } }: Exchange,
  answer: Answer,
  asked: { readonly path: readonly string[]; readonly input?: CheckedJson; readonly level: TraceLevel },
): Promise<Pick<Asked, 'explanation' | 'cut' | 'unexplained' | 'conflict'>> => {
  const { path, input, level } = asked;
  if (service.explain === undefined) return { unexplained: 'this listener gives none' };
  if (!caller.roles.some((role) => SOURCE_READERS.includes(role)))
    return { unexplained: `it is for callers with one of the roles ${SOURCE_READERS.join(', ')}` };
  try {
    const found = await service.explain({
      path,
      ...(input === undefined ? {} : { input: regoFromJson(Buffer.from(input).toString('utf8')) }),
      strictErrors: options.strictErrors,
      level,
      explanation: { pretty: options.pretty },
      checkBundle: checkBundle(caller),
    });
    const isOfAnswer = answer.policies.some(({ digest }) => digest === found.policy.digest);
    if (!isOfAnswer) return { unexplained: 'another version became active meanwhile' };
    return { explanation: found.explanation ?? [], cut: found.cut === true };
  } catch (error) {
    if (error instanceof PolicyError && error.code === 'EVALUATION_CONFLICT' && error.problems[0] !== undefined)
      return { conflict: error.problems[0].message };
    if (error instanceof VerdictError) return { unexplained: error.message };
    service.warn(`an answer could not be explained: ${messageOf(error)}`);
    return { unexplained: 'it failed; the log of the server says why' };
  }
};
