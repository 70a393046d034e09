import type { Clock } from '../canonical/index.ts';
import { pointerSteps } from '../canonical/index.ts';
import { openArrivals } from './arrivals.ts';
import type { Evaluated } from './evaluate.ts';
import { evaluate } from './evaluate.ts';
import type { Moment } from './freshness.ts';
import { expiryReader, holdOf, momentOf, remainingMs } from './freshness.ts';
import { refusedInput } from './input-check.ts';
import { footprintKey, groundOf, inputText } from './keys.ts';
import type { Made } from './made.ts';
import { mergeBases, overspent, policiesOf, refusedAt, unevaluated } from './made.ts';
import type {
  ActivePolicy,
  AnswerObserver,
  AuditLog,
  CacheState,
  Caller,
  DecisionError,
  Decisions,
  PolicyRef,
  PolicySource,
  Query,
  Reply,
  RequestFacts,
  Resolution,
} from './model.ts';
import { createRecorder } from './recorder.ts';
import type { CacheSettings } from './settings.ts';
import type { CacheSize } from './store.ts';
import { openStore } from './store.ts';

export interface DecisionsOptions {
  readonly policy: PolicySource;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly settings: {
    readonly cache: CacheSettings;
    /** What becomes of an answer that could not be recorded (`audit.onFailure`). */
    readonly onFailure: 'refuse' | 'answer';
  };
  /** A sentence for operators: an answer left without its record. */
  readonly onWarning?: (message: string) => void;
  readonly onAnswer?: AnswerObserver;
}

/** Decisions that also tell how much they remember. */
export interface RememberingDecisions extends Decisions {
  cacheSize(): CacheSize;
}

/** One question on its way: read once, used to its end. */
interface Question {
  readonly query: Query;
  readonly reply: Reply;
  readonly active: ActivePolicy;
  readonly askedAtMs: number;
}

/** Where a question's answer may be found and kept; absent when it must be neither. */
interface Slot {
  readonly key: string;
  readonly ground: string;
}

const mayAsk = (caller: Caller): boolean => caller.roles.includes('ask');

// What a version is linked with is its author's choice: nobody has to be let into that to ask.
const mayAskAbout = ({ bundles }: Caller, policies: readonly PolicyRef[]): boolean =>
  bundles === undefined || policies.every(({ name, linked }) => linked === true || bundles.includes(name));

/** The core: answers questions from what is active, remembers answers while they hold, and records every one. */
export const createDecisions = (options: DecisionsOptions): RememberingDecisions => {
  const { policy, audit, clock, settings, onWarning, onAnswer } = options;
  const { cache, onFailure } = settings;
  const remembers = cache.enabled && cache.maxBytes > 0 && cache.maxAgeSeconds > 0;
  const store = openStore(Math.max(1, cache.maxBytes));
  const arrived = openArrivals();
  const expiriesOf = expiryReader(cache.expiryPaths);
  // Moments that an input names bound its answer, whether or not a rule reads them.
  const textOf = inputText(cache.expiryPaths.map(pointerSteps));
  const record = createRecorder({ audit, clock, onFailure, onWarning, onAnswer });
  const activeFor = (query: Query): ActivePolicy => query.active ?? policy.current;
  /** Evaluations that run on a worker now, and who else waits for them. */
  const running = new Map<string, Question[]>();

  /** `mayRepeat`: the cache may answer the same body alone from now on. */
  const deliver = (question: Question, made: Made, state: CacheState, mayRepeat: boolean): void => {
    const { query, active, askedAtMs, reply } = question;
    const { input, path, strictErrors, rawKey } = query;
    const inputPresent = input !== undefined;
    const prepared = audit.prepare({
      ...(inputPresent ? { input } : {}),
      ...(made.verdict.kind === 'decided' ? { result: made.verdict.result } : {}),
      nonDeterministic: made.nonDeterministic,
    });
    const { epoch } = active;
    if (mayRepeat && rawKey !== undefined) {
      store.keep(rawKey, { kind: 'repeatable', made, prepared, path, strictErrors, inputPresent, epoch });
    }
    const { wire, caller, requestedBy, trace, batchId } = query;
    const facts: RequestFacts = { wire, caller, requestedBy, trace, batchId };
    record({ facts, path, strictErrors, inputPresent, epoch, made, prepared, cache: state, askedAtMs, reply });
  };

  const refuse = (question: Question, error: DecisionError): void => {
    const made = unevaluated(momentOf(clock), { kind: 'failed', error }, 'failed');
    deliver(question, made, 'uncacheable', false);
  };

  const refuseAt = (question: Question, resolution: Resolution, error: DecisionError): void =>
    deliver(question, refusedAt(resolution, momentOf(clock), error), 'uncacheable', false);

  const madeOf = (
    question: Question,
    resolution: Resolution,
    slot: Slot | undefined,
    start: Moment,
    got: Evaluated,
  ): Made => {
    const { input, allowance } = question.query;
    const { verdict, outcome, context, bases, ruleTtlMs, resultTtlMs } = got;
    const hold =
      verdict.kind === 'failed'
        ? undefined
        : holdOf({
            start,
            bases,
            maxAgeMs: cache.maxAgeSeconds * 1000,
            ruleTtlMs,
            resultTtlMs,
            expiriesMs: input === undefined ? [] : expiriesOf(input),
          });
    const { nowNs, tokens, nonDeterministic, instructions } = mergeBases(bases);
    if (allowance !== undefined) allowance.left -= instructions;
    return {
      kind: 'made',
      ground: slot?.ground ?? '',
      verdict,
      outcome,
      context,
      policies: policiesOf(resolution),
      unknownPath: false,
      ruleAtPath: resolution.kind === 'rule',
      entrypoint: resolution.kind === 'rule' ? resolution.target.entrypoint : undefined,
      nowNs,
      tokens,
      nonDeterministic,
      instructions,
      start,
      hold,
      evaluationNs: Math.round((clock.monotonicMs() - start.monotonicMs) * 1e6),
    };
  };

  /** Whether what an answer rests on is what is active now: an evaluation may have outlived its version. */
  const isActive = (question: Question, ground: string): boolean => {
    const now = policy.current;
    const { path } = question.query;
    return now.epoch === question.active.epoch || groundOf(path, now.resolve(path)) === ground;
  };

  const finish = (question: Question, made: Made, slot: Slot | undefined): void => {
    const cacheable = remembers && made.hold !== undefined;
    if (slot === undefined) {
      const state = question.query.bypassCache ? 'bypass' : 'uncacheable';
      deliver(question, made, state, false);
      return;
    }
    const keeps = cacheable && isActive(question, slot.ground);
    if (keeps) store.keep(slot.key, made);
    deliver(question, made, cacheable ? 'miss' : 'uncacheable', keeps);
  };

  /** Those who waited share what they may share; an answer that must not be used again is made for each anew. */
  const finishWaiting = (waiting: readonly Question[], made: Made, slot: Slot): void => {
    for (const question of waiting) {
      if (made.verdict.kind === 'failed') deliver(question, made, 'uncacheable', false);
      else if (made.hold !== undefined && remainingMs(made.hold, clock) > 0) {
        deliver(question, made, 'hit', isActive(question, slot.ground));
      } else answer({ ...question, active: activeFor(question.query) }, true);
    }
  };

  const start = (question: Question, resolution: Resolution, slot: Slot | undefined): void => {
    const { input, strictErrors, allowance } = question.query;
    if (allowance !== undefined && allowance.left <= 0) {
      refuseAt(question, resolution, overspent(allowance));
      return;
    }
    const moment = momentOf(clock);
    const got = evaluate(resolution, { ...(input === undefined ? {} : { input }), strictErrors });
    if (!(got instanceof Promise)) {
      finish(question, madeOf(question, resolution, slot, moment, got), slot);
      return;
    }
    const waiting: Question[] = [];
    if (slot !== undefined) running.set(slot.key, waiting);
    void got.then((late) => {
      const made = madeOf(question, resolution, slot, moment, late);
      // Nobody may join any more before the answers go out: what comes now finds the cache.
      if (slot !== undefined) running.delete(slot.key);
      finish(question, made, slot);
      if (slot !== undefined) finishWaiting(waiting, made, slot);
    });
  };

  const look = (question: Question, resolution: Resolution): void => {
    const { path, strictErrors, input } = question.query;
    const ground = groundOf(path, resolution);
    const text = input === undefined ? undefined : textOf(resolution, input);
    const key = footprintKey(ground, strictErrors, text);
    const known = store.made(key);
    if (known?.hold !== undefined) {
      if (remainingMs(known.hold, clock) > 0) {
        deliver(question, known, 'hit', true);
        return;
      }
      store.drop(key);
    }
    const waiting = running.get(key);
    if (waiting === undefined) start(question, resolution, { key, ground });
    else waiting.push(question);
  };

  /** Before the cache is looked into: what it holds may have been found for an input that the schemas take. */
  const invalid = (question: Question, resolution: Resolution): boolean => {
    const error = refusedInput(resolution, question.query.input);
    if (error !== undefined) refuseAt(question, resolution, error);
    return error !== undefined;
  };

  /** `alone`: found nowhere, shared with nobody, kept nowhere. */
  const answer = (question: Question, alone: boolean): void => {
    const { active, query } = question;
    if (!mayAsk(query.caller)) {
      refuse(question, { code: 'forbidden', message: 'the caller does not have the role ask' });
      return;
    }
    if (active.versions.size === 0) {
      refuse(question, { code: 'not_ready', message: 'no policy version is active' });
      return;
    }
    const resolution = active.resolve(query.path);
    if (!mayAskAbout(query.caller, policiesOf(resolution))) {
      refuse(question, { code: 'forbidden', message: 'the caller may not ask about this bundle' });
    } else if (resolution.kind === 'unknown') {
      const made = { ...unevaluated(momentOf(clock), { kind: 'undefined' }, 'undefined'), unknownPath: true };
      deliver(question, made, query.bypassCache ? 'bypass' : 'uncacheable', false);
    } else if (invalid(question, resolution)) return;
    else if (alone) start(question, resolution, undefined);
    else look(question, resolution);
  };

  const decide = (query: Query, reply: Reply): void => {
    const question: Question = { query, reply, active: activeFor(query), askedAtMs: clock.monotonicMs() };
    answer(question, query.bypassCache || !remembers);
  };

  const repeat: Decisions['repeat'] = (rawKey, facts, reply, active = policy.current) => {
    const entry = store.repeatable(rawKey);
    const hold = entry?.made.hold;
    if (entry === undefined || hold === undefined) return false;
    const { made, path, strictErrors, inputPresent, prepared } = entry;
    if (entry.epoch !== active.epoch) {
      if (groundOf(path, active.resolve(path)) !== made.ground) {
        store.drop(rawKey);
        return false;
      }
      entry.epoch = active.epoch;
    }
    if (remainingMs(hold, clock) <= 0) {
      store.drop(rawKey);
      return false;
    }
    // Who may not ask is answered, and recorded as such, by `decide`.
    if (!mayAsk(facts.caller) || !mayAskAbout(facts.caller, made.policies)) return false;
    const { epoch } = active;
    const askedAtMs = clock.monotonicMs();
    record({ facts, path, strictErrors, inputPresent, epoch, made, prepared, cache: 'hit', askedAtMs, reply });
    return true;
  };

  // An entry of its own only for a body that comes again: keeping every one with its audit text would double what a new
  // question costs, in memory and in the collector's time.
  const cameBefore: Decisions['cameBefore'] = (sent) => remembers && arrived(sent);

  return { cameBefore, repeat, decide, cacheSize: () => store.size() };
};
