import type { Clock } from '../canonical/index.ts';
import { messageWithoutPath, uuidv7 } from '../canonical/index.ts';
import { remainingMs } from './freshness.ts';
import type { Made } from './made.ts';
import type {
  Answer,
  AnswerObserver,
  AuditError,
  AuditLog,
  CacheState,
  PreparedContent,
  RecordFacts,
  Reply,
  RequestFacts,
} from './model.ts';

/** One answer on its way to the log and from there to who asked. */
export interface Delivery {
  readonly facts: RequestFacts;
  readonly path: readonly string[];
  readonly strictErrors: boolean;
  readonly inputPresent: boolean;
  readonly epoch: number;
  readonly made: Made;
  readonly prepared: PreparedContent;
  readonly cache: CacheState;
  /** On the monotonic clock: when the question was taken. */
  readonly askedAtMs: number;
  readonly reply: Reply;
}

export interface RecorderOptions {
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly onFailure: 'refuse' | 'answer';
  readonly onWarning?: ((message: string) => void) | undefined;
  readonly onAnswer?: AnswerObserver | undefined;
}

/** Records an answer, and only then gives it out. */
export type Recorder = (delivery: Delivery) => void;

const refused = (answer: Answer, error: Error): Answer => ({
  decisionId: answer.decisionId,
  verdict: {
    kind: 'failed',
    error: { code: 'audit_failed', message: `the decision could not be recorded: ${error.message}` },
  },
  outcome: 'failed',
  policies: answer.policies,
  cache: answer.cache,
  ageMs: 0,
  freshMs: 0,
  unknownPath: answer.unknownPath,
  ruleAtPath: answer.ruleAtPath,
});

export const createRecorder = (options: RecorderOptions): Recorder => {
  const { audit, clock, onFailure, onWarning, onAnswer } = options;

  const give = (answer: Answer, record: RecordFacts, { askedAtMs, reply }: Delivery): void => {
    onAnswer?.(answer, record, clock.monotonicMs() - askedAtMs);
    reply(answer);
  };

  const settle = (answer: Answer, record: RecordFacts, delivery: Delivery, error: Error): void => {
    if (onFailure === 'answer') {
      onWarning?.(`decision ${answer.decisionId} was answered without a record: ${error.message}`);
      give(answer, record, delivery);
    } else give(refused(answer, error), record, delivery);
  };

  return (delivery) => {
    const { facts, made, cache } = delivery;
    const nowMs = clock.nowMs();
    const monotonicMs = clock.monotonicMs();
    const decisionId = uuidv7(nowMs);
    const ageMs = cache === 'hit' ? Math.max(0, Math.floor(monotonicMs - made.start.monotonicMs)) : 0;
    const leftMs = made.hold === undefined || cache === 'uncacheable' ? 0 : remainingMs(made.hold, clock);
    const freshMs = Math.floor(leftMs);
    const freshUntilMs = leftMs > 0 ? nowMs + freshMs : undefined;
    const answer: Answer = {
      decisionId,
      verdict: made.verdict,
      outcome: made.outcome,
      context: made.context,
      policies: made.policies,
      cache,
      ageMs,
      freshMs,
      freshUntilMs,
      unknownPath: made.unknownPath,
      ruleAtPath: made.ruleAtPath,
      evaluationNs: cache === 'hit' ? undefined : made.evaluationNs,
    };
    const record: RecordFacts = {
      wire: facts.wire,
      caller: facts.caller,
      requestedBy: facts.requestedBy,
      batchId: facts.batchId,
      trace: facts.trace,
      decisionId,
      timestampMs: nowMs,
      path: delivery.path,
      entrypoint: made.entrypoint,
      outcome: made.outcome,
      error: made.verdict.kind === 'failed' ? made.verdict.error : undefined,
      policies: made.policies,
      epoch: delivery.epoch,
      cache,
      ageMs,
      freshUntilMs,
      nowNs: made.nowNs,
      strictErrors: delivery.strictErrors,
      inputPresent: delivery.inputPresent,
      tokens: made.tokens,
      durationNs: Math.round((monotonicMs - delivery.askedAtMs) * 1e6),
      instructions: cache === 'hit' ? undefined : made.instructions,
    };
    let called = false;
    const done = (error?: AuditError): void => {
      called = true;
      if (error === undefined) give(answer, record, delivery);
      else settle(answer, record, delivery, error);
    };
    try {
      audit.append(record, delivery.prepared, done);
    } catch (thrown) {
      // A reply that throws is the wire's own failure; a log that throws has taken no record.
      if (called) throw thrown;
      called = true;
      settle(answer, record, delivery, new Error(messageWithoutPath(thrown), { cause: thrown }));
    }
  };
};
