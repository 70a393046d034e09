import type { Caller, PolicyRef, RecordFacts } from '../../decision/model.ts';
import type { SeenToken } from '../../engine/index.ts';
import { safeText } from './secrets.ts';

// The beginning of a record: the facts that differ from answer to answer, joined as text, since writing an object
// through JSON.stringify would cost more than all the rest. Values that come again (callers, policies, tokens of a
// remembered answer) are turned into text once.

const LAST_MS = 253_402_300_799_999; // 9999-12-31T23:59:59.999Z
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
/** A JSON string. */
const quotePlain = (text: string): string => (plain.test(text) ? `"${text}"` : JSON.stringify(text.toWellFormed()));
/** A JSON string of text that others chose, without tokens in it. */
const quote = (text: string): string => quotePlain(safeText(text));
const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}...` : text);
const whole = (value: number): number => (Number.isFinite(value) ? Math.trunc(value) : 0);

const once = <Key extends object>(make: (key: Key) => string): ((key: Key) => string) => {
  const made = new WeakMap<Key, string>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const text = make(key);
    made.set(key, text);
    return text;
  };
};

/** RFC 3339, UTC, milliseconds. The part up to the seconds is kept for the few seconds in use. */
export const timestamps = (): ((ms: number) => string) => {
  const seconds = new Float64Array(64).fill(-1);
  const texts: string[] = [];
  return (value) => {
    const ms = Math.min(Math.max(whole(value), 0), LAST_MS);
    const second = Math.floor(ms / 1000);
    const slot = second % 64;
    if (seconds[slot] !== second) {
      seconds[slot] = second;
      texts[slot] = new Date(second * 1000).toISOString().slice(0, 20);
    }
    const rest = ms - second * 1000;
    return `${texts[slot]}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`;
  };
};

const TEXT_LENGTH = 1_024;

/** The same for texts that come again and are few: those of what is active. */
const known = new Map<string, string>();
const quoteKnown = (text: string): string => {
  let quoted = known.get(text);
  if (quoted === undefined) {
    if (known.size === 1_000) known.clear();
    quoted = quote(text);
    known.set(text, quoted);
  }
  return quoted;
};

const callerText = once(({ kind, name, roles }: Caller): string => {
  const safe = quote(cut(name, TEXT_LENGTH));
  return `{"kind":"${kind}","name":${safe},"roles":${JSON.stringify(roles)}}`;
});

/** Segments joined by slashes, as OPA writes paths; a slash or percent sign within a segment is percent-encoded. */
export const pathText = (path: readonly string[]): string =>
  path.map((segment) => segment.replaceAll('%', '%25').replaceAll('/', '%2F')).join('/');
const quotedPath = once((path: readonly string[]): string => quote(pathText(path)));

const policyTexts = once((policies: readonly PolicyRef[]): string => {
  const full = policies.map(
    ({ name, version, digest, revision, dataRevision, linked }) =>
      `{"name":${quote(name)},"version":${whole(version)},"digest":${quote(digest)},` +
      `"revision":${quote(revision)},"data_revision":${quote(dataRevision)}${linked === true ? ',"linked":true' : ''}}`,
  );
  return `[${full.join(',')}]`;
});
const bundleTexts = once((policies: readonly PolicyRef[]): string => {
  const bundles = policies.map(
    ({ name, revision }) => `${quote(name)}:${revision === '' ? '{}' : `{"revision":${quote(revision)}}`}`,
  );
  return `{${bundles.join(',')}}`;
});

const tokenTexts = once((tokens: readonly SeenToken[]): string => {
  const texts = tokens.map(({ issuer, subject, id, claimsDigest, expires, notBefore }) => {
    const named = (name: string, value: string | undefined): string =>
      value === undefined ? '' : `"${name}":${quote(cut(value, TEXT_LENGTH))},`;
    const time = (name: string, value: number | undefined): string =>
      value === undefined || !Number.isFinite(value) ? '' : `,"${name}":${value}`;
    return (
      `{${named('iss', issuer)}${named('sub', subject)}${named('jti', id)}"claims_sha256":${quote(claimsDigest)}` +
      `${time('exp', expires)}${time('nbf', notBefore)}}`
    );
  });
  return `[${texts.join(',')}]`;
});

/** Facts that can grow without a limit of their own; past what a leaf holds they go aside. */
export const growing = {
  path: (facts: RecordFacts) => quotedPath(facts.path),
  policies: (facts: RecordFacts) => policyTexts(facts.policies),
  bundles: (facts: RecordFacts) => bundleTexts(facts.policies),
  tokens: (facts: RecordFacts) => tokenTexts(facts.tokens),
} as const;
export type Growing = keyof typeof growing;

const MESSAGE_LENGTH = 1_024;

export const createHeads = (origin: string) => {
  const timestamp = timestamps();
  const freshUntil = timestamps();
  const before = (type: string): string => `{"format":1,"type":"${type}","origin":${JSON.stringify(origin)},"index":`;
  const beforeDecision = before('decision');
  const beforeEvent = before('event');

  /** A decision's facts. `aside` holds the texts that stand for facts which were put aside. */
  const decision = (facts: RecordFacts, index: number, aside?: ReadonlyMap<Growing, string>): string => {
    const { error, entrypoint, policies, tokens, freshUntilMs, nowNs, instructions, batchId, trace } = facts;
    const grown = (name: Growing): string => aside?.get(name) ?? growing[name](facts);
    return (
      `${beforeDecision}${index},"decision_id":${quotePlain(facts.decisionId)},` +
      (batchId === undefined ? '' : `"batch_decision_id":${quotePlain(batchId)},`) +
      `"timestamp":"${timestamp(facts.timestampMs)}","requested_by":${quotePlain(facts.requestedBy)},` +
      `"wire":"${facts.wire}","caller":${callerText(facts.caller)},"path":${grown('path')}` +
      (entrypoint === undefined ? '' : `,"entrypoint":${quoteKnown(entrypoint)}`) +
      `,"outcome":"${facts.outcome}"` +
      (error === undefined
        ? ''
        : `,"error":{"code":"${error.code}","message":${quote(cut(error.message, MESSAGE_LENGTH))}}`) +
      `,"policies":${grown('policies')}` +
      (policies.length === 0 ? '' : `,"bundles":${grown('bundles')}`) +
      `,"epoch":${whole(facts.epoch)},"cache":"${facts.cache}","age_ms":${whole(facts.ageMs)}` +
      (freshUntilMs === undefined ? '' : `,"fresh_until":"${freshUntil(freshUntilMs)}"`) +
      (nowNs === undefined ? '' : `,"now_ns":"${nowNs}"`) +
      `,"strict":${facts.strictErrors},"input_present":${facts.inputPresent}` +
      (tokens.length === 0 ? '' : `,"tokens":${grown('tokens')}`) +
      `,"metrics":{"timer_server_handler_ns":${whole(facts.durationNs)}` +
      (instructions === undefined ? '}' : `,"counter_engine_instructions":${whole(instructions)}}`) +
      (trace === undefined ? '' : `,"trace_id":"${trace.traceId}","span_id":"${trace.spanId}"`)
    );
  };

  const event = (name: string, by: string, ms: number, index: number): string =>
    `${beforeEvent}${index},"timestamp":"${timestamp(ms)}","event":${quote(name)},"by":${quote(cut(by, TEXT_LENGTH))}`;

  return { decision, event };
};
