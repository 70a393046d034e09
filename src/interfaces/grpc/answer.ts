import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Answer, CacheState, PolicyRef, Verdict } from '../../decision/index.ts';
import { jsonToValue } from './value.ts';

const { LengthDelimited, Varint } = WireType;

/** CacheState of decisions.proto. */
const cacheStates: { readonly [state in CacheState]: number } = { hit: 1, miss: 2, bypass: 3, uncacheable: 4 };

const policyTexts = new WeakMap<readonly PolicyRef[], Uint8Array>();

/** The field `policies`, made once for each set of versions. */
const policiesField = (policies: readonly PolicyRef[]): Uint8Array => {
  const known = policyTexts.get(policies);
  if (known !== undefined) return known;
  const writer = new BinaryWriter();
  for (const { name, version, digest, revision } of policies) {
    writer.tag(5, LengthDelimited).fork();
    writer.tag(1, LengthDelimited).string(name);
    writer.tag(2, Varint).uint64(version);
    writer.tag(3, LengthDelimited).string(digest);
    if (revision !== '') writer.tag(4, LengthDelimited).string(revision);
    writer.join();
  }
  const field = writer.finish();
  policyTexts.set(policies, field);
  return field;
};

const writeVerdict = (writer: BinaryWriter, verdict: Verdict, permit: boolean, asValue: boolean): void => {
  switch (verdict.kind) {
    case 'decided':
      writer.tag(2, LengthDelimited).fork();
      if (asValue) writer.tag(2, LengthDelimited).bytes(jsonToValue(verdict.result));
      else writer.tag(1, LengthDelimited).string(verdict.result);
      if (permit) writer.tag(3, Varint).bool(true);
      writer.join();
      return;
    case 'undefined':
      writer.tag(3, LengthDelimited).uint32(0);
      return;
    case 'failed':
      writer.tag(4, LengthDelimited).fork();
      writer.tag(1, LengthDelimited).string(verdict.error.code);
      writer.tag(2, LengthDelimited).string(verdict.error.message);
      writer.join();
  }
};

const writeMoment = (writer: BinaryWriter, ms: number): void => {
  writer.tag(9, LengthDelimited).fork();
  writer.tag(1, Varint).int64(Math.floor(ms / 1000));
  const nanoseconds = (ms % 1000) * 1_000_000;
  if (nanoseconds !== 0) writer.tag(2, Varint).int32(nanoseconds);
  writer.join();
};

/** Writes a Decision as the field of an answer. */
const writeDecision = (writer: BinaryWriter, field: number, answer: Answer, asValue: boolean): void => {
  const { verdict, outcome, ageMs, freshMs, freshUntilMs } = answer;
  writer.tag(field, LengthDelimited).fork();
  writer.tag(1, LengthDelimited).string(answer.decisionId);
  writeVerdict(writer, verdict, outcome === 'permit', asValue);
  if (answer.policies.length > 0) writer.raw(policiesField(answer.policies));
  writer.tag(6, Varint).uint32(cacheStates[answer.cache]);
  if (ageMs > 0) writer.tag(7, Varint).uint64(ageMs);
  if (freshMs > 0) writer.tag(8, Varint).uint64(freshMs);
  if (freshUntilMs !== undefined) writeMoment(writer, freshUntilMs);
  if (answer.unknownPath) writer.tag(10, Varint).bool(true);
  writer.join();
};

const bytesOf = (writer: BinaryWriter): Buffer => {
  const bytes = writer.finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
};

/** The bytes of a DecideResponse. */
export const decideResponse = (answer: Answer, asValue: boolean): Buffer => {
  const writer = new BinaryWriter();
  writeDecision(writer, 1, answer, asValue);
  return bytesOf(writer);
};

/** The bytes of a DecideBatchResponse. */
export const decideBatchResponse = (id: string, answers: readonly Answer[], asValue: boolean): Buffer => {
  const writer = new BinaryWriter();
  writer.tag(1, LengthDelimited).string(id);
  for (const answer of answers) writeDecision(writer, 2, answer, asValue);
  return bytesOf(writer);
};
